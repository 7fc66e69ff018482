//! What is seen of the environments, for command line and console alike. Reads only.

pub mod queues;
