//! PostgreSQL's `numeric` in its binary form: digits of base 10,000, with the weight of the first (`numeric.c`).

const NEGATIVE: u16 = 0x4000;
const SCALE_MAX: usize = 16_383;

/// As PostgreSQL writes it.
pub(super) fn read(bytes: &[u8]) -> Option<String> {
    let words: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    let [count, weight, sign, scale, digits @ ..] = words.as_slice() else { return None };
    match sign {
        0xc000 => return Some("NaN".to_owned()),
        0xd000 => return Some("Infinity".to_owned()),
        0xf000 => return Some("-Infinity".to_owned()),
        _ => {}
    }
    if digits.len() != usize::from(*count) || usize::from(*scale) > SCALE_MAX {
        return None;
    }
    // The weight is signed.
    let weight = i32::from(i16::from_be_bytes(weight.to_be_bytes()));
    let digit =
        |place: i32| usize::try_from(weight - place).ok().and_then(|index| digits.get(index)).copied().unwrap_or(0);
    let whole: String = (0..=weight.max(0)).rev().map(|place| format!("{:04}", digit(place))).collect();
    let whole = whole.trim_start_matches('0');
    let mut text = if *sign == NEGATIVE { "-".to_owned() } else { String::new() };
    text.push_str(if whole.is_empty() { "0" } else { whole });
    let scale = usize::from(*scale);
    if scale > 0 {
        let places = i32::try_from(scale.div_ceil(4)).ok()?;
        let fraction: String = (1..=places).map(|place| format!("{:04}", digit(-place))).collect();
        text.push('.');
        text.push_str(&fraction[..scale]);
    }
    Some(text)
}

/// Of digits with a sign and a point; none: it is something else.
pub(super) fn write(text: &str) -> Option<Vec<u8>> {
    let (sign, plain) = match text.strip_prefix('-') {
        Some(plain) => (NEGATIVE, plain),
        None => (0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) || fraction.len() > SCALE_MAX {
        return None;
    }
    let padded = format!("{}{whole}{fraction}{}", zeros(whole.len()), zeros(fraction.len()));
    let digits: Vec<u16> = padded.as_bytes().as_chunks::<4>().0.iter().map(four).collect();
    let weight = i16::try_from(whole.len().div_ceil(4)).ok()? - 1;
    let count = i16::try_from(digits.len()).ok()?;
    let scale = u16::try_from(fraction.len()).ok()?;
    let mut bytes = Vec::with_capacity(8 + padded.len());
    bytes.extend(count.to_be_bytes());
    bytes.extend(weight.to_be_bytes());
    bytes.extend(sign.to_be_bytes());
    bytes.extend(scale.to_be_bytes());
    bytes.extend(digits.iter().flat_map(|digit| digit.to_be_bytes()));
    Some(bytes)
}

/// So many that a group of four is full.
fn zeros(digits: usize) -> &'static str {
    &"000"[..(4 - digits % 4) % 4]
}

fn four(digits: &[u8; 4]) -> u16 {
    digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_comes_back_as_it_was_written() {
        for text in ["0", "1", "-1", "12345", "10000", "0.5", "-0.0001", "123456789.000012300", "9223372036854775808"] {
            assert_eq!(read(&write(text).expect("a number")).as_deref(), Some(text));
        }
        for text in ["", "-", ".", "1e5", "1.2.3", "NaN", "--1"] {
            assert_eq!(write(text), None, "{text}");
        }
        assert_eq!(read(&[0, 1, 0]), None);
    }
}
