//! The console: what keys do, and what every screen looks like.

mod home;
