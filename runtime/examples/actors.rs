//! Actors: one that prints, and one that is sent different things and asked others.
#![expect(clippy::print_stdout, reason = "this is a program that talks")]

use lockwise::sync::{Actor, Context, Exit, Promise, start};

/// Prints what it is sent.
struct Printer;

impl Actor for Printer {
    type Message = String;

    fn handle(&mut self, message: String, _: &Context<'_, String>) {
        println!("got: {message}");
    }

    fn on_stop(&mut self, exit: &Exit) {
        println!("printer ended: {exit:?}");
    }
}

/// What an account understands: another message would not compile.
enum Order {
    Pay(u32),
    Take(u32, Promise<Result<u32, String>>),
}

struct Account(u32);

impl Actor for Account {
    type Message = Order;

    fn handle(&mut self, order: Order, _: &Context<'_, Order>) {
        match order {
            Order::Pay(sum) => self.0 += sum,
            Order::Take(sum, reply) => {
                let left = self.0.checked_sub(sum).ok_or("too little money");
                if let Ok(left) = left {
                    self.0 = left;
                }
                // Whoever asked may have gone meanwhile.
                let _ = reply.set(left.map_err(str::to_owned));
            }
        }
    }
}

fn main() {
    let printer = start(Printer);
    printer.send("hello".to_owned()).expect("it is open");
    printer.send("world".to_owned()).expect("it is open");
    printer.close();
    let ended = printer.join().expect("it is not this thread");
    println!(
        "{ended:?}, and nobody listens: {:?}",
        printer.send("late".to_owned())
    );

    let account = start(Account(0));
    account.send(Order::Pay(100)).expect("it is open");
    for sum in [70, 70] {
        let answer = account.ask(|reply| Order::Take(sum, reply));
        let answer = answer.expect("it is open").wait();
        println!("taking {sum}: {:?}", answer.expect("it answers"));
    }
}
