//! What is not there: images, programs and files that a world without registries and disks takes for missing by their names.

/// Words in a name that say so: `app:missing`, `nginx:does-not-exist`, `no-such-program`.
const WORDS: [&str; 8] =
    ["missing", "nonexistent", "non-existent", "does-not-exist", "doesnotexist", "not-found", "no-such", "nosuch"];

/// Whether a name says of itself that nothing is there.
pub(super) fn is_absent(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    WORDS.iter().any(|word| name.contains(word))
}

/// Why an image can't be pulled; none: it can.
pub(super) fn why_not_pulled(image: &str) -> Option<String> {
    if !is_reference(image) {
        let why = format!("failed to parse image reference {image:?}: invalid reference format");
        return Some(format!("CannotPullContainerError: {why}"));
    }
    is_absent(image).then(|| not_found(image))
}

/// An image that its registry does not have.
pub(super) fn not_found(image: &str) -> String {
    let reference = whole(image);
    format!(
        "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref {reference}: \
         {reference}: not found"
    )
}

/// The name with its registry: Docker Hub's where none is named.
fn whole(image: &str) -> String {
    match image.split_once('/') {
        None => format!("docker.io/library/{image}"),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
    }
}

/// A repository in lower case, with a tag or digest (the distribution's reference grammar, as far as people get it wrong).
fn is_reference(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let at = name.rfind('/').map_or(0, |slash| slash + 1);
    let (path, tag) = match name[at..].find(':') {
        Some(colon) => (&name[..at + colon], Some(&name[at + colon + 1..])),
        None => (name, None),
    };
    let plain = |byte: u8, more: &[u8]| byte.is_ascii_digit() || byte.is_ascii_lowercase() || more.contains(&byte);
    let is_path = !path.is_empty() && path.bytes().all(|byte| plain(byte, b"._-/:"));
    let is_tag = |tag: &str| {
        (1..=128).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_uppercase() || plain(byte, b"._-"))
    };
    is_path && tag.is_none_or(is_tag) && digest.is_none_or(|digest| digest.starts_with("sha256:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whether_an_image_is_there() {
        for (image, words) in [
            ("app:1", None),
            ("123456789012.dkr.ecr.af-south-1.amazonaws.com/team/app:v1.2-rc.1", None),
            ("app@sha256:0123", None),
            ("nginx:missing", Some("docker.io/library/nginx:missing: not found")),
            ("team/nginx:does-not-exist", Some("docker.io/team/nginx:does-not-exist: not found")),
            ("public.ecr.aws/no_such/image", Some("ref public.ecr.aws/no_such/image: ")),
            ("Not An Image", Some("invalid reference format")),
            ("app:", Some("invalid reference format")),
            ("", Some("invalid reference format")),
        ] {
            let why = why_not_pulled(image);
            assert_eq!(why.is_some(), words.is_some(), "{image}: {why:?}");
            assert!(words.is_none_or(|words| why.as_ref().is_some_and(|why| why.contains(words))), "{image}: {why:?}");
        }
    }
}
