//! Which functions take which queues' messages, for CloudWatch.

use super::Lambda;

impl Lambda {
    /// Mappings of a place: function without its alias, name of the queue, messages of a call.
    pub(in crate::world) fn sources(&self, account: &str, region: &str) -> impl Iterator<Item = (&str, &str, u32)> {
        let place = self.places.get(&(account.to_owned(), region.to_owned()));
        place.into_iter().flat_map(|place| place.mappings.values()).map(|mapping| {
            let function = mapping.function.split(':').next().unwrap_or_default();
            (function, mapping.source.rsplit(':').next().unwrap_or_default(), mapping.batch_size)
        })
    }
}
