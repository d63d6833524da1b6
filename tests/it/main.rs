//! The end-to-end tests: programs and logs in, reports out.
