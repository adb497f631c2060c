//! One thread that owns time, tasks and chance.
//!
//! Tasks belong to nodes. Of those that can run, chance picks the next; when none can, time jumps to
//! the next timer. A node that is killed loses all its tasks, each at the await point where it
//! stands; one that is paused keeps them and runs none.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use platform::env::BoxFuture;

use crate::chance::Chance;
use crate::fault::{Fault, Weather};
use crate::timers::{Key, Timers};
use crate::trace::Trace;

/// A machine, by its place in the list of them.
pub type Node = usize;

/// The clients and the payment provider, who never die.
pub const WORLD: Node = 0;

struct Task {
    node: Node,
    /// `None` while it is being polled.
    future: Option<BoxFuture<()>>,
    waker: Arc<TaskWaker>,
}

struct TaskWaker {
    id: usize,
    is_queued: AtomicBool,
    ready: Arc<Mutex<Vec<usize>>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::Relaxed) {
            lock(&self.ready).push(self.id);
        }
    }
}

#[derive(Default)]
pub struct NodeState {
    /// Grows with each death.
    pub life: u64,
    pub is_paused: bool,
    /// What would run if it were not paused.
    stalled: Vec<usize>,
    /// How far its wall clock is off, in microseconds.
    pub clock_off: i64,
    /// After so many turns of its tasks it dies.
    pub fuse: Option<u64>,
    /// Killed, and not started again.
    pub is_dead: bool,
}

pub struct State {
    pub now: u64,
    pub chance: Chance,
    pub trace: Trace,
    pub weather: Weather,
    pub nodes: Vec<NodeState>,
    tasks: Vec<Option<Task>>,
    timers: Timers,
    /// When everything was mended.
    pub healed_at: Option<u64>,
}

/// Cheap to clone; clones are the same world.
#[derive(Clone)]
pub struct Core {
    state: Arc<Mutex<State>>,
    ready: Arc<Mutex<Vec<usize>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    pub fn new(chance: Chance, weather: Weather, nodes: usize, trace: Trace) -> Self {
        let state = State {
            now: 0,
            chance,
            trace,
            weather,
            nodes: (0..nodes).map(|_| NodeState::default()).collect(),
            tasks: Vec::new(),
            timers: Timers::default(),
            healed_at: None,
        };
        Self { state: Arc::new(Mutex::new(state)), ready: Arc::default() }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub fn now(&self) -> Duration {
        Duration::from_micros(self.state().now)
    }

    /// Has everything worked for so long?
    pub fn is_calm_for(&self, duration: Duration) -> bool {
        let state = self.state();
        let since = state.healed_at.map(|at| Duration::from_micros(state.now.saturating_sub(at)));
        since.is_some_and(|since| since >= duration)
    }

    pub fn draw<T>(&self, with: impl FnOnce(&mut Chance) -> T) -> T {
        with(&mut self.state().chance)
    }

    pub fn tell(&self, line: impl FnOnce() -> String) {
        let mut state = self.state();
        let now = state.now;
        state.trace.tell(now, line);
    }

    /// Does this go wrong now?
    pub fn strikes(&self, fault: Fault) -> bool {
        let mut state = self.state();
        let State { weather, chance, trace, now, .. } = &mut *state;
        let strikes = weather.strikes(fault, chance);
        if strikes {
            trace.mix(*now, fault as u64);
            trace.tell(*now, || format!("! {}", fault.name()));
        }
        strikes
    }

    /// A task of a node in its present life; nothing happens when that is over.
    pub fn spawn_in(&self, node: Node, life: u64, future: BoxFuture<()>) {
        let mut state = self.state();
        if state.nodes[node].life != life {
            drop(state);
            drop(future);
            return;
        }
        let id = state.tasks.len();
        let (is_queued, ready) = (AtomicBool::new(true), self.ready.clone());
        let waker = Arc::new(TaskWaker { id, is_queued, ready });
        state.tasks.push(Some(Task { node, future: Some(future), waker }));
        drop(state);
        lock(&self.ready).push(id);
    }

    pub fn spawn(&self, node: Node, future: impl Future<Output = ()> + Send + 'static) {
        let life = self.state().nodes[node].life;
        self.spawn_in(node, life, Box::pin(future));
    }

    pub fn sleep(&self, duration: Duration) -> Sleep {
        let micros = duration.as_micros().min(u128::from(u64::MAX / 4)) as u64;
        Sleep { deadline: self.state().now + micros, core: self.clone(), key: None }
    }

    /// All tasks of the node end where they stand.
    pub fn kill(&self, node: Node) {
        let mut state = self.state();
        let of_node = &mut state.nodes[node];
        of_node.life += 1;
        of_node.is_paused = false;
        of_node.is_dead = true;
        of_node.fuse = None;
        of_node.stalled.clear();
        let mut ended = Vec::new();
        for slot in &mut state.tasks {
            if slot.as_ref().is_some_and(|task| task.node == node) {
                ended.extend(slot.take());
            }
        }
        drop(state);
        // Not under the lock: what they drop may wake others or try to begin something.
        drop(ended);
    }

    /// A paused node does nothing; its timers run out all the same, as those of a stopped process.
    pub fn pause(&self, node: Node, is_paused: bool) {
        let mut state = self.state();
        state.nodes[node].is_paused = is_paused;
        if !is_paused {
            let stalled = std::mem::take(&mut state.nodes[node].stalled);
            drop(state);
            lock(&self.ready).extend(stalled);
        }
    }

    /// Runs until `until` says so, time is at `end`, or nothing will ever happen again. `fell` hears
    /// of each node whose fuse has burnt down.
    pub fn run(&self, end: Duration, until: impl Fn() -> bool, fell: impl Fn(Node)) {
        let end = end.as_micros() as u64;
        while !until() && self.step(end, &fell) {}
    }

    fn step(&self, end: u64, fell: impl Fn(Node)) -> bool {
        let mut state = self.state();
        let Some(id) = self.pick(&mut state.chance) else {
            drop(state);
            return self.advance(end);
        };
        let now = state.now;
        let Some(task) = state.tasks[id].as_mut() else { return true };
        let node = task.node;
        if state.nodes[node].is_paused {
            state.nodes[node].stalled.push(id);
            return true;
        }
        let Some(task) = state.tasks[id].as_mut() else { return true };
        let Some(mut future) = task.future.take() else { return true };
        let waker = task.waker.clone();
        state.trace.mix(now, id as u64);
        drop(state);
        waker.is_queued.store(false, Ordering::Relaxed);
        let outcome = future.as_mut().poll(&mut Context::from_waker(&Waker::from(waker)));
        let mut state = self.state();
        let has_fallen = state.burn(node);
        // Dropped when nothing is locked: a future may wake others or try to begin something.
        let mut ended = Some(future);
        match outcome {
            Poll::Ready(()) => state.tasks[id] = None,
            Poll::Pending => {
                if let Some(task) = state.tasks[id].as_mut() {
                    task.future = ended.take();
                }
            }
        }
        drop(state);
        drop(ended);
        if has_fallen {
            fell(node);
        }
        true
    }

    /// One of those that can run.
    fn pick(&self, chance: &mut Chance) -> Option<usize> {
        let mut ready = lock(&self.ready);
        let at = match ready.len() {
            0 => return None,
            1 => 0,
            count => chance.below(count as u64) as usize,
        };
        Some(ready.swap_remove(at))
    }

    /// To the next timer.
    fn advance(&self, end: u64) -> bool {
        let mut state = self.state();
        let Some(at) = state.timers.first() else { return false };
        if at > end {
            state.now = end;
            return false;
        }
        state.now = at;
        // Waking takes no lock but that of what can run.
        while let Some(waker) = state.timers.ends(at) {
            waker.wake();
        }
        true
    }
}

impl State {
    /// Has its fuse burnt down now?
    fn burn(&mut self, node: Node) -> bool {
        let Some(left) = &mut self.nodes[node].fuse else { return false };
        *left = left.saturating_sub(1);
        let has_fallen = *left == 0;
        if has_fallen {
            self.nodes[node].fuse = None;
        }
        has_fallen
    }
}

/// Until a time.
pub struct Sleep {
    core: Core,
    deadline: u64,
    key: Option<Key>,
}

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = lock(&this.core.state);
        if state.now >= this.deadline {
            if let Some(key) = this.key.take() {
                state.timers.remove(key);
            }
            return Poll::Ready(());
        }
        match this.key {
            Some(key) => state.timers.update(key, context.waker()),
            None => this.key = Some(state.timers.add(this.deadline, context.waker())),
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            lock(&self.core.state).timers.remove(key);
        }
    }
}
