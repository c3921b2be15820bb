//! The edge of Exchequer: settings and command line, the router, dialects, pages, documents.
//!
//! Invariant: no rule and no SQL here. A handler reads a request, calls one use case of `gateway`
//! and writes what it answered.

#![recursion_limit = "256"]

pub mod bench;
pub mod cli;
pub mod commands;
pub mod config;
pub mod database;
pub mod dialects;
pub mod documents;
pub mod health;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod pages;
pub mod postgres;
pub mod router;
pub mod sandbox;
pub mod serve;
pub mod shutdown;
pub mod state;
pub mod static_files;
#[doc(hidden)]
pub mod testing;
