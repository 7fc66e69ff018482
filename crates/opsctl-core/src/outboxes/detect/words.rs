//! What words in the names of columns and tables mean, in the languages that teams name columns in.
//!
//! Words are lower case, without accents: `ü` is `ue` or `u`. A word may mean several things; the type of the column decides.

use std::{collections::HashMap, sync::OnceLock};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sense {
    /// Handed to a broker: nothing but a relay does that.
    Sent,
    /// To hand to a broker.
    Send,
    /// Over with, by whatever worker.
    Done,
    Doing,
    Fail,
    Dead,
    Lock,
    Start,
    Until,
    By,
    Attempt,
    Count,
    Max,
    Error,
    Next,
    Last,
    Due,
    Expire,
    Create,
    /// As [`Sense::Create`], and of events alone.
    Occur,
    Update,
    Delete,
    Time,
    Epoch,
    Payload,
    Header,
    Type,
    Name,
    Topic,
    Event,
    Message,
    Aggregate,
    Group,
    Key,
    Id,
    Sequence,
    Status,
    Pending,
    Is,
    Receive,
    Consumer,
    Actor,
    Tenant,
    Direction,
    Version,
    Stream,
    /// Says nothing for or against.
    Plain,
    Money,
    Person,
    Chat,
    Mail,
    Editorial,
    Audit,
    Freight,
    Work,
    Saga,
    Answer,
    Session,
    Watermark,
    Migration,
    Outbox,
    Inbox,
    Log,
    Archive,
}

use Sense::{
    Actor, Aggregate, Answer, Archive, Attempt, Audit, By, Chat, Consumer, Count, Create, Dead, Delete, Direction,
    Doing, Done, Due, Editorial, Epoch, Error, Event, Expire, Fail, Freight, Group, Header, Id, Inbox, Is, Key, Last,
    Lock, Log, Mail, Max, Message, Migration, Money, Name, Next, Occur, Outbox, Payload, Pending, Person, Plain,
    Receive, Saga, Send, Sent, Sequence, Session, Start, Status, Stream, Tenant, Time, Topic, Type, Until, Update,
    Version, Watermark, Work,
};

const WORDS: &[(Sense, &str)] = &[
    (
        Sent,
        "published sent dispatched delivered relayed emitted forwarded transmitted propagated broadcasted pushed produced",
    ),
    (
        Sent,
        "veroeffentlicht veroffentlicht publiziert gesendet versendet verschickt versandt zugestellt uebermittelt ubermittelt uebertragen weitergeleitet abgeschickt ausgeliefert",
    ),
    (Sent, "publie publiee envoye envoyee expedie expediee transmis transmise diffuse diffusee livre livree emis"),
    (Sent, "publicado publicada enviado enviada despachado despachada entregue entregado transmitido emitido"),
    (Sent, "pubblicato pubblicata inviato inviata spedito consegnato trasmesso emesso"),
    (Sent, "gepubliceerd verzonden verstuurd afgeleverd opublikowano opublikowany wyslano wyslany publicerad skickad"),
    (
        Send,
        "publish send dispatch deliver delivery publication publishing sending dispatching delivering relay emit forward push broadcast",
    ),
    (
        Send,
        "versand versende veroeffentlichung publikation senden envoi expedition diffusion publicacao publicacion envio envoyer despacho entrega enviar pubblicazione invio verzending publicatie",
    ),
    (
        Done,
        "processed completed complete handled finished finalized done executed acked acknowledged consumed confirmed synced",
    ),
    (
        Done,
        "verarbeitet erledigt abgeschlossen bearbeitet beendet fertig traite traitee termine terminee acheve processado processada concluido concluida finalizado procesado procesada completado terminado",
    ),
    (Done, "elaborato elaborata processato completato verwerkt afgerond voltooid przetworzono przetworzony"),
    (
        Doing,
        "process processing completion execution execute handling run running processor verarbeitung traitement processamento procesamiento",
    ),
    (
        Fail,
        "failed fail failure failures failing fehlgeschlagen gescheitert fehlschlag echec echoue falha falhou falhado fallido fallo fallito mislukt",
    ),
    (
        Dead,
        "dead deadletter deadlettered dlq discarded abandoned poison poisoned undeliverable exhausted blocked aborted rejected buried verworfen aufgegeben abandonne rejete descartado abandonado scartato",
    ),
    (
        Lock,
        "vt lock locked lease leased claim claimed reserved reservation picked acquired checkout inflight invisible visibility",
    ),
    (
        Lock,
        "gesperrt sperre reserviert verrou verrouille verrouillee bloqueado bloqueada bloqueio bloqueo travado trava reservado bloccato vergrendeld",
    ),
    (Start, "started begun gestartet demarre iniciado"),
    (Until, "vt until till bis jusqu jusqua jusque ate hasta fino tot"),
    (By, "by owner worker holder instance node pod token von durch par por door"),
    (
        Attempt,
        "attempt attempts attempted try tries tried retry retries retried redelivery redeliveries versuch versuche wiederholung wiederholungen tentative tentatives essai essais tentativa tentativas intento intentos reintento reintentos tentativo tentativi poging pogingen proba proby prob",
    ),
    (
        Count,
        "count ct counter num times anzahl zaehler zahl nombre nb compteur contador qtd cantidad conteggio aantal liczba quantidade",
    ),
    (Max, "max maximum limit maximal maximo massimo"),
    (
        Error,
        "error errors exception err errmsg errormessage reason stacktrace fehler fehlermeldung fehlertext erreur erro errore fout blad",
    ),
    (
        Next,
        "next naechster naechste naechsten nachster nachste prochain prochaine suivant proximo proxima siguiente prossimo prossima volgende nastepna",
    ),
    (Last, "last latest previous letzter letzte letzten dernier derniere ultimo ultima laatste ostatni"),
    (
        Due,
        "due available scheduled schedule visible eligible after before defer deferred delay delayed backoff faellig fallig geplant verfuegbar verfugbar planifie prevu disponible apres agendado disponivel apos programado pianificato gepland beschikbaar",
    ),
    (
        Expire,
        "expires expire expired expiry expiration ttl ablauf gueltig expira expiracao validade expiracion vence caducidad scadenza",
    ),
    (
        Create,
        "created create creation added inserted enqueued queued recorded raised registered stored written erstellt angelegt erzeugt erfasst eingefuegt cree creee ajoute insere criado criada criacao inserido creado creada creacion insertado creato creata creazione inserito aangemaakt utworzono utworzony",
    ),
    (
        Occur,
        "occurred occured occurrence aufgetreten ereignet eingetreten survenu survenue ocorrido ocorrida ocorrencia ocorreu ocurrido avvenuto opgetreden",
    ),
    (
        Update,
        "updated modified changed update aktualisiert geaendert maj modifie atualizado alterado actualizado modificado aggiornato modificato",
    ),
    (
        Delete,
        "deleted delete removed geloescht geloscht supprime supprimee excluido apagado deletado eliminado borrado eliminato verwijderd",
    ),
    (
        Time,
        "at on date time ts timestamp datetime utc dt when moment zeit zeitpunkt zeitstempel am datum uhrzeit le heure em data hora el fecha en il ora op tijd czas",
    ),
    (Epoch, "ms millis milliseconds epoch unix"),
    (
        Payload,
        "payload body content contents data value message msg json envelope document blob args arguments operations invocation serialized params parameters",
    ),
    (
        Payload,
        "nutzlast inhalt nachricht daten contenu corps donnees charge conteudo corpo mensagem dados carga contenido cuerpo mensaje datos contenuto messaggio dati inhoud bericht gegevens tresc dane",
    ),
    (
        Header,
        "header headers headerbag metadata meta attributes properties props kopf kopfdaten kopfzeilen entete entetes cabecalho cabecalhos cabecera cabeceras intestazioni metadaten metadonnees metadados metadatos",
    ),
    (Type, "type kind class typ art tipo soort typname"),
    (Name, "name nom nome nombre naam bezeichnung"),
    (
        Topic,
        "topic destination exchange routing channel queue target thema ziel kanal warteschlange canal topico destino fila cola argomento destinazione coda bestemming",
    ),
    (
        Event,
        "event events ereignis ereignisse evenement evenements evento eventos eventi gebeurtenis zdarzenie zdarzenia",
    ),
    (
        Message,
        "message messages msg nachricht nachrichten mensagem mensagens mensaje mensajes messaggio messaggi bericht",
    ),
    (Aggregate, "aggregate aggregat agregat agregado aggregato entity entitaet entite entidade entidad"),
    (Group, "group partition ordering shard bucket gruppe groupe grupo particao"),
    (Key, "key schluessel schlussel cle chave clave chiave sleutel klucz"),
    (Id, "id uuid guid identifier kennung nummer identifiant identificador ids"),
    (
        Sequence,
        "seq sequence seqno offset position ordinal lsn sequencia secuencia laufnummer reihenfolge ordre ordem orden",
    ),
    (Status, "status state stage phase zustand etat statut estado situacao situacion stato toestand stan"),
    (
        Pending,
        "pending unsent unpublished undelivered unprocessed undispatched waiting outstanding offen ausstehend wartend attente pendente pendiente",
    ),
    (Is, "is has was flag indicator ind kz ist est"),
    (
        Receive,
        "received receive incoming inbound receipt arrived arrival empfangen eingang eingegangen recu recue recebido recibido ricevuto ontvangen odebrano",
    ),
    (Consumer, "consumer consumers handler handlers subscriber listener receiver consumidor consommateur verbraucher"),
    (Actor, "user actor username ip useragent performer benutzer utilisateur usuario utente gebruiker operator"),
    (Tenant, "tenant org organization organisation mandant locataire inquilino"),
    (Direction, "direction richtung sens direcao direccion"),
    (Version, "version revision generation"),
    (Stream, "stream streamid"),
    (
        Plain,
        "correlation causation trace span traceparent tracestate conversation initiator idempotency dedup deduplication hash checksum signature source origin producer application app service schema encoding contenttype priority weight batch transaction region context tag format size bytes length environment module system reply tracing parent root instance row record item entry",
    ),
    (
        Money,
        "amount price currency balance tax fee quantity discount iban subtotal total betrag preis waehrung menge montant prix devise valor preco moeda importe precio importo prezzo cost salary invoice rechnung facture fatura factura",
    ),
    (
        Person,
        "email phone firstname lastname fullname address street city zip postal country birthday password gender customer kunde client cliente",
    ),
    (
        Chat,
        "sender recipient conversation thread room chat read seen absender empfaenger destinataire remetente destinatario",
    ),
    (
        Mail,
        "notification notifications html cc bcc recipient recipients mail email betreff assunto asunto sujet sms template",
    ),
    (
        Editorial,
        "title slug author category tags summary excerpt draft seo titel autor titre auteur titulo locale language headline article post page comment rating image thumbnail",
    ),
    (
        Audit,
        "old new before after diff action changes table field actor ip useragent alt neu vorher nachher aktion ancien nouveau antigo novo acao",
    ),
    (Freight, "carrier tracking shipment shipped weight warehouse sku product order item lieferung paket"),
    (
        Work,
        "job jobs task tasks cron worker assignee assigned description title runner handler progress result results duration",
    ),
    (Saga, "saga workflow compensation compensating step"),
    (Answer, "response request http statuscode url latency duration webhook antwort reponse resposta respuesta"),
    (Session, "session token cookie activity agent login"),
    (Watermark, "watermark cursor checkpoint cdc lsn extracted loaded"),
    (Migration, "migration migrations installed script success rank applied"),
    (
        Outbox,
        "outbox outboxes outgoing outbound postausgang ausgang ausgangs sortie sortants saida salida uscita uitgaand",
    ),
    (Inbox, "inbox inboxes incoming inbound posteingang eingang boitereception entrada entrants"),
    (Log, "log logs audit history historie journal audits trail protokoll historique historico"),
    (Archive, "archive archived archiv arquivo archivo backup old"),
];

/// What a word means; empty: unknown.
pub(super) fn senses(word: &str) -> &'static [Sense] {
    lexicon().get(word).map_or(&[], Vec::as_slice)
}

fn lexicon() -> &'static HashMap<&'static str, Vec<Sense>> {
    static ALL: OnceLock<HashMap<&'static str, Vec<Sense>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: HashMap<&'static str, Vec<Sense>> = HashMap::new();
        for (sense, words) in WORDS {
            for word in words.split(' ') {
                all.entry(word).or_default().push(*sense);
            }
        }
        all
    })
}

/// A name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) list: Vec<String>,
    senses: Vec<Sense>,
}

impl Words {
    /// Of a name in any style: `next_attempt_at`, `NextAttemptAt`, `NEXTATTEMPTAT`.
    pub(super) fn of(name: &str) -> Self {
        let list: Vec<String> = pieces(name).into_iter().flat_map(|piece| known_parts(&piece)).collect();
        let senses = list.iter().flat_map(|word| senses(word)).copied().collect();
        Self { list, senses }
    }

    pub(super) fn has(&self, sense: Sense) -> bool {
        self.senses.contains(&sense)
    }

    pub(super) fn any(&self, senses: &[Sense]) -> bool {
        senses.iter().any(|sense| self.has(*sense))
    }

    /// Whether it is that word and nothing else.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        matches!(self.list.as_slice(), [only] if words.contains(&only.as_str()))
    }

    pub(super) fn word(&self, words: &[&str]) -> bool {
        self.list.iter().any(|word| words.contains(&word.as_str()))
    }

    /// Whether each word means one of these.
    pub(super) fn only(&self, senses_of: &[Sense]) -> bool {
        !self.list.is_empty() && self.list.iter().all(|word| senses(word).iter().any(|sense| senses_of.contains(sense)))
    }

    pub(super) fn is_known(&self) -> bool {
        !self.senses.is_empty()
    }
}

/// Split at what is no letter, and at humps; lower case, without accents or digits.
fn pieces(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().take(256).collect();
    let mut pieces = vec![String::new()];
    for (place, &letter) in letters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| letters.get(place)).copied();
        let next = letters.get(place + 1).copied();
        let is_hump = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || (before.is_uppercase() && next.is_some_and(char::is_lowercase))
            });
        if !letter.is_alphabetic() || is_hump {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut().filter(|_| letter.is_alphabetic()) {
            plain(letter, piece);
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// A letter without its accent.
pub(super) fn plain(letter: char, into: &mut String) {
    for letter in letter.to_lowercase() {
        match letter {
            'ä' => into.push_str("ae"),
            'ö' => into.push_str("oe"),
            'ü' => into.push_str("ue"),
            'ß' => into.push_str("ss"),
            'à' | 'á' | 'â' | 'ã' | 'å' | 'ą' => into.push('a'),
            'ç' | 'ć' => into.push('c'),
            'è' | 'é' | 'ê' | 'ë' | 'ę' => into.push('e'),
            'ì' | 'í' | 'î' | 'ï' => into.push('i'),
            'ł' => into.push('l'),
            'ñ' | 'ń' => into.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ø' => into.push('o'),
            'ś' => into.push('s'),
            'ù' | 'ú' | 'û' => into.push('u'),
            'ź' | 'ż' => into.push('z'),
            other => into.push(other),
        }
    }
}

/// Names whose humps were folded away: `nextattempttime` is three words. The whole where it is no row of known words.
fn known_parts(piece: &str) -> Vec<String> {
    let known = lexicon();
    if known.contains_key(piece) || !piece.is_ascii() || piece.len() > 40 {
        return vec![piece.to_owned()];
    }
    // The fewest words that end at each place.
    let mut best: Vec<Option<Vec<&str>>> = vec![None; piece.len() + 1];
    best[0] = Some(Vec::new());
    for end in 1..=piece.len() {
        for start in 0..end {
            let word = &piece[start..end];
            let Some(before) = &best[start] else { continue };
            let is_better = best[end].as_ref().is_none_or(|now| before.len() + 1 < now.len());
            if is_better && known.contains_key(word) {
                let mut words = before.clone();
                words.push(word);
                best[end] = Some(words);
            }
        }
    }
    match best.pop().flatten().filter(|words| words.len() <= 4) {
        Some(words) => words.into_iter().map(str::to_owned).collect(),
        None => vec![piece.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_style_are_taken_apart() {
        for (name, words) in [
            ("next_attempt_at", "next attempt at"),
            ("NextAttemptAt", "next attempt at"),
            ("nextattempttime", "next attempt time"),
            ("PUBLISHEDAT", "published at"),
            ("EventTypeName", "event type name"),
            ("veröffentlicht_am", "veroeffentlicht am"),
            ("dataEnvio", "data envio"),
            ("OUTBOXItemID2", "outbox item id"),
            ("x", "x"),
        ] {
            assert_eq!(Words::of(name).list.join(" "), words, "{name}");
        }
    }

    #[test]
    fn a_name_of_any_length_or_alphabet_is_taken() {
        for name in ["", "   ", "датаОтправки", "🦀", &"ab".repeat(5_000)] {
            let _ = Words::of(name);
        }
    }
}
