//! A pool of threads: results in order, a panic that stays in its result, and a worker for one thing at a time.
#![expect(clippy::print_stdout, reason = "this is a program that talks")]

use lockwise::sync::{ThreadPool, Worker};

fn is_prime(number: u32) -> bool {
    (2..number).all(|divisor| !number.is_multiple_of(divisor))
}

fn main() {
    let pool = ThreadPool::new(4).expect("there is room for four threads");
    let primes = pool.map(2..30, |number| (number, is_prime(number)));
    let primes = primes.expect("the pool is open");
    let primes: Vec<u32> = primes
        .map(|result| result.expect("nothing panics here"))
        .filter_map(|(number, prime)| prime.then_some(number))
        .collect();
    println!("primes: {primes:?}");

    let bad = pool.submit(|| -> u32 { "no number".parse().expect("it is a number") });
    let bad = bad.expect("the pool is open");
    println!("the job failed: {}", bad.wait().is_err());

    let worker = Worker::new().expect("there is room for a thread");
    let power = worker.submit(|| 2_u32.pow(3)).expect("the worker is open");
    worker.close();
    worker.join();
    println!("2^3 = {}", power.wait().expect("it was worked out"));
}
