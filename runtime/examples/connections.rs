//! A connection for each thread, opened at first use and closed when the thread ends.
#![expect(clippy::print_stdout, reason = "this is a program that talks")]

use lockwise::sync::ThreadLocal;
use lockwise::thread;

/// Stands for a connection to somewhere.
struct Connection {
    of: String,
}

impl Connection {
    fn open() -> Connection {
        let of = thread::current().name().unwrap_or("nobody").to_owned();
        println!("{of} connects");
        Connection { of }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        println!("{} hangs up", self.of);
    }
}

fn main() {
    let connections = ThreadLocal::new();
    let request = |what: &str| {
        connections.with(Connection::open, |connection| {
            println!("{} asks for {what}", connection.of);
        });
    };
    thread::scope(|scope| {
        for name in ["ada", "grace"] {
            let thread = thread::Builder::new().name(name.to_owned());
            let asks = || {
                request("the news");
                request("the weather");
            };
            let started = thread.spawn_scoped(scope, asks);
            started.expect("there is room for a thread");
        }
    });
}
