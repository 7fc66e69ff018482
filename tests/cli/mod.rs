//! The real binary: arguments in, standard output, standard error and exit status out.

mod accounts;
mod alarms;
mod canary;
mod changing;
mod codes;
mod commands;
mod console;
mod console_estate;
mod consumers;
mod databases;
mod disk;
mod environments;
mod gone;
mod ground;
mod hostile;
mod listing;
mod looking;
mod migrate;
mod outboxes;
mod plan_files;
mod reference;
mod refused_first;
mod restoring;
mod services;
mod status;
mod terminal;
