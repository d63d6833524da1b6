use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

use lockwise::sync::{Get, GetError, Put, PutError, Queue, Task};
use proptest::prelude::*;

use crate::{Counting, poll_once};

#[derive(Debug, Clone, Copy)]
enum Act {
    TryPut,
    /// Polled once.
    Put,
    PollPut(usize),
    DropPut(usize),
    PutStop,
    TryGet,
    TryGetTask,
    DropTask(usize),
    /// Polled once.
    Get,
    PollGet(usize),
    DropGet(usize),
    Close,
    CloseNow,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::TryPut),
        4 => Just(Act::Put),
        2 => (0..4usize).prop_map(Act::PollPut),
        1 => (0..4usize).prop_map(Act::DropPut),
        1 => Just(Act::PutStop),
        4 => Just(Act::TryGet),
        1 => Just(Act::TryGetTask),
        1 => (0..4usize).prop_map(Act::DropTask),
        3 => Just(Act::Get),
        3 => (0..4usize).prop_map(Act::PollGet),
        1 => (0..4usize).prop_map(Act::DropGet),
        1 => prop_oneof![9 => Just(Act::TryGet), 1 => Just(Act::Close), 1 => Just(Act::CloseNow)],
    ]
}

/// An item, or a stop.
type Entry = Option<u32>;

/// The obvious queue.
struct Model {
    capacity: Option<usize>,
    is_closed: bool,
    store: VecDeque<Entry>,
    /// Puts that wait for room, and stops behind them.
    row: VecDeque<Entry>,
    /// Puts that there is room for, when they are polled.
    promised: Vec<u32>,
    /// Gets that wait.
    getters: usize,
    unfinished: usize,
}

/// What became of a put that waits, as its number is the item.
#[derive(Debug, PartialEq)]
enum Fate {
    Waits,
    Promised,
    Accepted,
    Refused,
}

impl Model {
    fn items(&self) -> usize {
        self.store.iter().flatten().count()
    }

    fn fits(&self) -> bool {
        match self.capacity {
            None => true,
            Some(0) => self.store.len() < self.getters,
            Some(capacity) => self.items() + self.promised.len() < capacity,
        }
    }

    fn accept(&mut self, entry: Entry) {
        self.unfinished += usize::from(entry.is_some());
        self.store.push_back(entry);
    }

    fn admit(&mut self) {
        while !self.is_closed
            && let Some(first) = self.row.front()
            && (first.is_none() || self.fits())
        {
            match self.row.pop_front().expect("it was there") {
                Some(item) if self.capacity != Some(0) => self.promised.push(item),
                first => self.accept(first),
            }
        }
    }

    fn try_put(&mut self, entry: Entry) -> Result<(), PutError<Entry>> {
        if self.is_closed {
            return Err(PutError::Closed(entry));
        }
        if entry.is_some() && !(self.row.is_empty() && self.fits()) {
            return Err(PutError::Full(entry));
        }
        if self.row.is_empty() {
            self.accept(entry);
        } else {
            self.row.push_back(entry);
        }
        Ok(())
    }

    fn fate(&self, item: u32) -> Fate {
        let is_promised = self.promised.contains(&item);
        match is_promised || self.row.contains(&Some(item)) {
            false => Fate::Accepted,
            true if self.is_closed => Fate::Refused,
            true if is_promised => Fate::Promised,
            true => Fate::Waits,
        }
    }

    fn withdraw(&mut self, item: u32) {
        self.row.retain(|entry| *entry != Some(item));
        self.promised.retain(|promised| *promised != item);
        self.admit();
    }

    /// `kept` items are not done yet.
    fn try_get(&mut self, kept: bool) -> Result<u32, GetError> {
        let got = match self.store.pop_front() {
            Some(entry) => entry,
            None if self.is_closed => return Err(GetError::Closed),
            None if self.capacity == Some(0) && !self.row.is_empty() => {
                let first = self.row.pop_front().expect("it is not empty");
                self.unfinished += usize::from(first.is_some());
                first
            }
            None => return Err(GetError::Empty),
        };
        self.unfinished -= usize::from(got.is_some() && !kept);
        self.admit();
        got.ok_or(GetError::Stopped)
    }

    fn close(&mut self) {
        if !self.is_closed {
            self.is_closed = true;
            let stops = self.row.iter().filter(|entry| entry.is_none()).count();
            self.row.retain(Option::is_some);
            self.store.extend(std::iter::repeat_n(None, stops));
        }
    }

    fn close_now(&mut self) -> Vec<u32> {
        self.close();
        let left: Vec<u32> = self.store.drain(..).flatten().collect();
        self.unfinished -= left.len();
        left
    }
}

/// A future that is polled by hand, and whether it was woken since.
struct Polled<F> {
    future: Pin<Box<F>>,
    count: Arc<Counting>,
    waker: Waker,
    seen: usize,
}

impl<F: Future> Polled<F> {
    fn new(future: F) -> Polled<F> {
        let (count, waker) = Counting::new();
        Polled {
            future: Box::pin(future),
            count,
            waker,
            seen: 0,
        }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        self.seen = self.count.count();
        poll_once(self.future.as_mut(), &self.waker)
    }

    fn is_woken(&self) -> bool {
        self.count.count() > self.seen
    }
}

/// The queue, its model, and who waits for it.
struct Both<'a> {
    queue: &'a Queue<u32>,
    model: Model,
    next: u32,
    puts: Vec<(u32, Polled<Put<'a, u32>>)>,
    gets: Vec<Polled<Get<'a, u32>>>,
    tasks: Vec<Task<'a, u32>>,
}

impl Both<'_> {
    fn act(&mut self, act: Act) {
        let Both { queue, model, .. } = self;
        match act {
            Act::TryPut => {
                self.next += 1;
                let put = queue.try_put(self.next);
                let put = put.map_err(|refused| format!("{refused:?} {}", refused.into_inner()));
                let expected = model.try_put(Some(self.next));
                let expected = expected.map_err(|refused| format!("{refused:?} {}", self.next));
                assert_eq!(put, expected);
            }
            Act::Put => {
                self.next += 1;
                let mut put = Polled::new(queue.put_async(self.next));
                match model.try_put(Some(self.next)) {
                    Ok(()) => assert_eq!(put.poll(), Poll::Ready(Ok(()))),
                    Err(PutError::Full(entry)) => {
                        model.row.push_back(entry);
                        assert_eq!(put.poll(), Poll::Pending);
                        self.puts.push((self.next, put));
                    }
                    Err(_) => assert_eq!(put.poll(), Poll::Ready(Err(PutError::Closed(self.next)))),
                }
            }
            Act::PollPut(at) if at < self.puts.len() => {
                let (item, put) = &mut self.puts[at];
                let (item, polled) = (*item, put.poll());
                match model.fate(item) {
                    Fate::Waits => return assert_eq!(polled, Poll::Pending),
                    Fate::Accepted => assert_eq!(polled, Poll::Ready(Ok(()))),
                    Fate::Promised => {
                        assert_eq!(polled, Poll::Ready(Ok(())));
                        model.promised.retain(|promised| *promised != item);
                        model.accept(Some(item));
                    }
                    Fate::Refused => {
                        assert_eq!(polled, Poll::Ready(Err(PutError::Closed(item))));
                        model.withdraw(item);
                    }
                }
                self.puts.remove(at);
            }
            Act::DropPut(at) if at < self.puts.len() => {
                let (item, put) = self.puts.remove(at);
                let back = (model.fate(item) != Fate::Accepted).then_some(item);
                assert_eq!(Pin::into_inner(put.future).take_back(), back);
                model.withdraw(item);
            }
            Act::PutStop => {
                let expected = model.try_put(None).map_err(|_| PutError::Closed(()));
                assert_eq!(queue.put_stop(), expected);
            }
            Act::TryGet => assert_eq!(queue.try_get(), model.try_get(false)),
            Act::TryGetTask => {
                let got = queue.try_get_task();
                assert_eq!(
                    got.as_ref().map(|task| **task).map_err(|error| *error),
                    model.try_get(true)
                );
                self.tasks.extend(got);
            }
            Act::DropTask(at) if at < self.tasks.len() => {
                drop(self.tasks.remove(at));
                model.unfinished -= 1;
            }
            Act::Get => {
                let mut get = Polled::new(queue.get_async());
                let polled = get.poll();
                match model.try_get(false) {
                    Err(GetError::Empty) => {
                        assert_eq!(polled, Poll::Pending);
                        model.getters += 1;
                        self.gets.push(get);
                    }
                    got => assert_eq!(polled, Poll::Ready(got)),
                }
            }
            Act::PollGet(at) if at < self.gets.len() => {
                let polled = self.gets[at].poll();
                match model.try_get(false) {
                    Err(GetError::Empty) => assert_eq!(polled, Poll::Pending),
                    got => {
                        assert_eq!(polled, Poll::Ready(got));
                        self.gets.remove(at);
                        model.getters -= 1;
                    }
                }
            }
            Act::DropGet(at) if at < self.gets.len() => {
                drop(self.gets.remove(at));
                model.getters -= 1;
            }
            Act::Close => {
                assert_eq!(queue.close(), !model.is_closed);
                model.close();
            }
            Act::CloseNow => assert_eq!(queue.close_now(), model.close_now()),
            _ => {}
        }
    }

    fn check(&self) {
        let Both { queue, model, .. } = self;
        assert_eq!(
            (queue.len(), queue.is_closed()),
            (model.items(), model.is_closed)
        );
        assert_eq!(
            queue.join_timeout(std::time::Duration::ZERO),
            model.unfinished == 0
        );
        // Whoever could go on was woken, or as many as there is something for.
        let woken = self.gets.iter().filter(|get| get.is_woken()).count();
        let could = if model.is_closed {
            self.gets.len()
        } else {
            model.store.len().min(self.gets.len())
        };
        assert!(woken >= could, "{woken} of {could} were woken");
        for (item, put) in &self.puts {
            assert_eq!(put.is_woken(), model.fate(*item) != Fate::Waits, "{item}");
        }
    }
}

proptest! {
    #[test]
    fn a_queue_does_what_a_row_does(
        capacity in prop_oneof![Just(None), Just(Some(0)), Just(Some(1)), Just(Some(3))],
        acts in prop::collection::vec(act(), 0..80),
    ) {
        let queue = match capacity {
            None => Queue::new(),
            Some(capacity) => Queue::bounded(capacity),
        };
        let model = Model {
            capacity,
            is_closed: false,
            store: VecDeque::new(),
            row: VecDeque::new(),
            promised: Vec::new(),
            getters: 0,
            unfinished: 0,
        };
        let (puts, gets, tasks) = (Vec::new(), Vec::new(), Vec::new());
        let mut both = Both { queue: &queue, model, next: 0, puts, gets, tasks };
        for act in acts {
            both.act(act);
            both.check();
        }
    }
}
