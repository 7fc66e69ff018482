//! What the values of a status mean, as far as their words tell.

use crate::domain::RowState;

use super::words::plain;

const STATES: &[(RowState, &str)] = &[
    (
        RowState::Ready,
        "pending new ready waiting created unsent unpublished unprocessed undelivered undispatched todo to_send to_publish to_be_sent initial available enqueued not_published not_sent not_processed not_dispatched awaiting retry retrying retryable queued",
    ),
    (
        RowState::Ready,
        "offen neu wartend wartet ausstehend zu_senden nicht_gesendet en_attente attente nouveau nouvelle a_envoyer a_publier a_traiter non_envoye pendente pendentes novo nova aguardando a_enviar nao_enviado pendiente nuevo nueva en_espera por_enviar no_enviado",
    ),
    (
        RowState::Ready,
        "in_attesa nuovo nuova da_inviare nieuw wachtend te_verzenden nowy nowe oczekujacy oczekuje do_wyslania",
    ),
    (
        RowState::Scheduled,
        "scheduled delayed deferred postponed geplant verzoegert planifie programme agendado adiado programado aplazado pianificato gepland zaplanowany",
    ),
    (
        RowState::InProgress,
        "processing sending publishing in_progress inprogress inflight in_flight locked claimed leased dispatching delivering running executing picked picked_up reserved working relaying",
    ),
    (
        RowState::InProgress,
        "in_bearbeitung in_arbeit in_verarbeitung wird_gesendet gesperrt wird_verarbeitet en_cours envoi_en_cours en_traitement em_andamento em_processamento processando enviando publicando en_proceso en_curso procesando",
    ),
    (RowState::InProgress, "in_corso in_elaborazione bezig in_behandeling w_trakcie przetwarzanie"),
    (RowState::Published, "published sent dispatched delivered relayed emitted forwarded transmitted pushed"),
    (
        RowState::Published,
        "veroeffentlicht publiziert gesendet versendet verschickt versandt zugestellt uebermittelt uebertragen publie publiee envoye envoyee expedie transmis livre diffuse publicado publicada enviado enviada despachado entregue entregado transmitido",
    ),
    (
        RowState::Published,
        "pubblicato inviato inviata spedito consegnato gepubliceerd verzonden verstuurd afgeleverd opublikowany opublikowane wyslany wyslane",
    ),
    (
        RowState::Published,
        "processed completed complete done succeeded success successful acked acknowledged finished handled verarbeitet erledigt abgeschlossen fertig erfolgreich traite traitee termine terminee reussi processado processada concluido concluida finalizado sucesso procesado procesada completado terminado exito elaborato completato verwerkt voltooid przetworzony zakonczony",
    ),
    (
        RowState::Failed,
        "failed failure dead error errored dead_letter deadletter dead_lettered dlq discarded abandoned exhausted poison poisoned rejected undeliverable gave_up given_up permanently_failed permanent_failure publish_failed published_failed send_failed",
    ),
    (
        RowState::Failed,
        "fehler fehlgeschlagen fehlerhaft gescheitert verworfen aufgegeben echec echoue echouee erreur abandonne rejete falha falhou falhado erro descartado abandonado rejeitado fallido fallo fallida rechazado errore fallito scartato mislukt fout afgewezen blad bledny nieudany odrzucony",
    ),
    (
        RowState::Held,
        "parked paused suspended on_hold onhold held quarantined cancelled canceled blocked storniert abgebrochen pausiert zurueckgestellt annule annulee suspendu cancelado cancelada suspenso suspendido pausado annullato sospeso geannuleerd anulowany",
    ),
    (
        RowState::Expired,
        "expired timed_out abgelaufen expire expiree expirado expirada caducado vencido scaduto verlopen wygasly",
    ),
];

/// Values of things that are bought, written, approved or worked on: no relay sets them.
const BUSINESS: &str = "draft approved shipped paid unpaid refunded active inactive archived accepted declined review in_review closed open_for_review returned overdue assigned resolved settled captured authorized void voided placed confirmed booked entwurf bezahlt genehmigt brouillon paye approuve rascunho pago aprovado borrador pagado aprobado enabled disabled deleted subscribed trial converted qualified packed picking delivering_to_customer out_for_delivery returned_to_sender";

/// The state that a value's word names; none: no word tells.
pub(super) fn state_of(value: &str) -> Option<RowState> {
    let word = folded(value);
    let names = |words: &str| words.split(' ').any(|known| known == word || known.replace('_', "") == word);
    STATES.iter().find(|(_, words)| names(words)).map(|(state, _)| *state)
}

/// Whether it is a word for what a relay has handed over, and not one that any worker uses.
pub(super) fn is_sent_word(value: &str) -> bool {
    let word = folded(value);
    let sent = STATES.iter().filter(|(state, _)| *state == RowState::Published).take(3);
    sent.into_iter().any(|(_, words)| words.split(' ').any(|known| known == word))
}

/// Whether it is one of the ways to say "try again": beside one of them FAILED is the end.
pub(super) fn is_final_failure(value: &str) -> bool {
    const FINAL: &str = "dead dead_letter deadletter dead_lettered dlq discarded abandoned exhausted poison poisoned undeliverable gave_up given_up permanently_failed permanent_failure verworfen aufgegeben abandonne descartado abandonado scartato";
    let word = folded(value);
    FINAL.split(' ').any(|known| known == word)
}

pub(super) fn is_business(value: &str) -> bool {
    let word = folded(value);
    BUSINESS.split(' ').any(|known| known == word)
}

/// `InProgress`, `IN-PROGRESS` and `in progress` are `in_progress`.
pub(super) fn folded(value: &str) -> String {
    let mut word = String::new();
    let mut was_small = false;
    for letter in value.trim().chars().take(64) {
        if letter.is_alphanumeric() {
            if letter.is_uppercase() && was_small {
                word.push('_');
            }
            plain(letter, &mut word);
        } else if !word.ends_with('_') {
            word.push('_');
        }
        was_small = letter.is_lowercase();
    }
    word.trim_matches('_').to_owned()
}

/// What a comment says of codes: `0 = pending, 1: sent`. Code and word.
pub(super) fn codes_in(comment: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let text: String = comment.chars().take(1_000).collect();
    for part in text.split([',', ';', '\n', '|', '/', '(', ')']) {
        // Where several stand in one part, each is a word: `0:pending 1:sent`.
        let several = part.matches(['=', ':']).count() > 1 && part.split_whitespace().all(|word| code(word).is_some());
        let codes: Vec<(String, String)> =
            if several { part.split_whitespace().filter_map(code).collect() } else { code(part).into_iter().collect() };
        for (code, word) in codes {
            if !found.iter().any(|(known, _)| *known == code) {
                found.push((code, word));
            }
        }
    }
    found
}

fn code(part: &str) -> Option<(String, String)> {
    let (before, word) = ['=', ':', '-'].into_iter().find_map(|sign| part.trim().rsplit_once(sign))?;
    let code = before.split_whitespace().last().unwrap_or_default();
    let is_code = code.len() <= 3 && code.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    let word = word.trim().trim_start_matches('>').trim();
    (is_code && !code.is_empty() && !word.is_empty()).then(|| (code.to_owned(), word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_any_spelling_name_states() {
        for (value, state) in [
            ("PENDING", Some(RowState::Ready)),
            ("InProgress", Some(RowState::InProgress)),
            ("in-progress", Some(RowState::InProgress)),
            ("Übermittelt", Some(RowState::Published)),
            ("ENVOYÉ", Some(RowState::Published)),
            ("Falhou", Some(RowState::Failed)),
            ("P", None),
            ("0", None),
            ("SHIPPED", None),
        ] {
            assert_eq!(state_of(value), state, "{value}");
        }
        assert!(is_sent_word("SENT") && is_sent_word("versendet") && !is_sent_word("DONE"));
    }

    #[test]
    fn no_word_names_two_states() {
        let mut seen: Vec<(&str, RowState)> = Vec::new();
        for (state, words) in STATES {
            for word in words.split(' ') {
                let other = seen.iter().find(|(known, of)| *known == word && of != state);
                assert!(other.is_none(), "{word}: {other:?} and {state}");
                seen.push((word, *state));
            }
        }
    }

    #[test]
    fn comments_explain_codes() {
        let codes = codes_in("state: 0=pending, 1 = sent, 2: failed");
        let words: Vec<String> = codes.iter().map(|(code, word)| format!("{code} {word}")).collect();
        assert!(words.contains(&"1 sent".to_owned()) && words.contains(&"2 failed".to_owned()), "{words:?}");
        assert!(codes_in("the state of a row").is_empty());
    }
}
