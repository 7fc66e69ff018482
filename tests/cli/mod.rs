//! The real binary: arguments in, standard output, standard error and exit status out.

mod alarms;
mod changing;
mod codes;
mod console;
mod console_estate;
mod consumers;
mod databases;
mod disk;
mod gone;
mod ground;
mod hostile;
mod listing;
mod looking;
mod migrate;
mod reference;
mod services;
mod terminal;
