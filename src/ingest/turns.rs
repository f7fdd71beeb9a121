//! Threads that read and decode in turns: whoever has nothing to decode cuts the next chunk off an input that is open,
//! so that its bytes lie in the caches of the core that decodes them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::open::Plan;
use super::pump::Job;
use super::stream::{Opened, Stream};

/// An input that several threads may read from; none once it was read.
type Shared<'p> = Arc<Mutex<Option<Stream<'p>>>>;

/// The inputs that are open.
pub(super) struct Turns<'p> {
    plan: &'p Plan<'p>,
    state: Mutex<State<'p>>,
    changed: Condvar,
}

#[derive(Default)]
struct State<'p> {
    open: Vec<Shared<'p>>,
    /// Threads that are about to open another.
    opening: usize,
}

impl<'p> Turns<'p> {
    pub(super) fn new(plan: &'p Plan<'p>) -> Self {
        Self {
            plan,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Opens inputs while there are any, then helps with those that others opened, until nothing is left to `decode`.
    /// Says what became of the inputs that it read to their end. Runs on every thread that decodes.
    pub(super) fn take(&self, decode: &mut dyn FnMut(Job)) -> Vec<Opened> {
        let mut done = Vec::new();
        while let Some(input) = self.open(&mut done).or_else(|| self.opened()) {
            while let Some(job) = self.turn(&input, &mut done) {
                decode(job);
            }
        }
        done
    }

    /// The next chunk of `input`. Whoever finds that there is none closes it.
    fn turn(&self, input: &Shared<'p>, done: &mut Vec<Opened>) -> Option<Job> {
        let mut stream = lock(input);
        let job = stream.as_mut()?.next();
        if job.is_none() {
            done.extend(stream.take().map(Stream::close));
            lock(&self.state)
                .open
                .retain(|other| !Arc::ptr_eq(other, input));
        }
        job
    }

    /// Opens the next input that can be read.
    fn open(&self, done: &mut Vec<Opened>) -> Option<Shared<'p>> {
        let _opening = Opening::of(self);
        loop {
            match self.plan.open_next()? {
                Ok(stream) => {
                    let input = Arc::new(Mutex::new(Some(stream)));
                    lock(&self.state).open.push(input.clone());
                    return Some(input);
                }
                Err(opened) => done.push(*opened),
            }
        }
    }

    /// An input that another thread opened, or is opening now.
    fn opened(&self) -> Option<Shared<'p>> {
        let mut state = lock(&self.state);
        loop {
            if let Some(input) = state.open.first() {
                return Some(input.clone());
            }
            if state.opening == 0 {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// While it lives, an input is being opened; also where that ends in a panic, so that nobody waits for ever.
struct Opening<'t, 'p>(&'t Turns<'p>);

impl<'t, 'p> Opening<'t, 'p> {
    fn of(turns: &'t Turns<'p>) -> Self {
        lock(&turns.state).opening += 1;
        Self(turns)
    }
}

impl Drop for Opening<'_, '_> {
    fn drop(&mut self) {
        lock(&self.0.state).opening -= 1;
        self.0.changed.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
