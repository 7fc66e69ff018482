//! The real binary: arguments in, standard output, standard error and exit status out.

mod alarms;
mod canary;
mod changing;
mod codes;
mod console;
mod console_estate;
mod consumers;
mod databases;
mod disk;
mod ground;
mod hostile;
mod listing;
mod looking;
mod migrate;
mod plan_files;
mod reference;
mod refused_first;
mod services;
mod terminal;
