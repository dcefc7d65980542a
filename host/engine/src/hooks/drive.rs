//! Hooks that download: a future of which each part, from one download to the next, runs like a step of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use carousel_core::hooks::HookError;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{Asked, HookPlaces, Hooks, panicked};

type Work<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// What came of a part: the result, or the rest of the work.
type Part<R> = Result<R, Work<R>>;

/// A hook under way. Dropping it abandons the hook, at the latest after the part that runs.
struct Drive<'h, R, A: Fn() -> G, G> {
    hooks: &'h Hooks,
    asked: Asked,
    /// Makes what is held while a part waits for a thread or runs.
    away: A,
    state: State<R, G>,
    bell: Arc<Bell>,
}

enum State<R, G> {
    Here(Work<R>),
    Away(oneshot::Receiver<Part<R>>, G),
    Done,
}

/// Remembers that the work wants to go on, also while it is away.
#[derive(Default)]
struct Bell {
    has_rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.has_rung.store(true, Ordering::SeqCst);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        task.iter().for_each(Waker::wake_by_ref);
    }
}

impl Bell {
    fn listen(&self, task: &Waker) {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| task.clone()).clone_from(task);
    }
}

impl Hooks {
    /// Carries a hook out that downloads. What `away` makes is held while a part of it waits for a thread or runs there.
    pub(crate) async fn drive<R: Send + 'static, G: Unpin>(
        &self,
        asked: Asked,
        away: impl Fn() -> G + Unpin,
        work: impl Future<Output = R> + Send + 'static,
    ) -> Result<R, HookError> {
        match self.places {
            HookPlaces::InPlace => Ok(work.await),
            HookPlaces::InPlaceAfter(time) => {
                let held = away();
                tokio::time::sleep(time(&asked.site)).await;
                drop(held);
                Ok(work.await)
            }
            HookPlaces::Threads => {
                let bell = Arc::new(Bell::default());
                bell.has_rung.store(true, Ordering::SeqCst);
                Drive { hooks: self, asked, away, state: State::Here(Box::pin(work)), bell }.await
            }
        }
    }
}

impl<R: Send + 'static, A: Fn() -> G, G> Drive<'_, R, A, G> {
    /// Begins the next part.
    fn go_on(&self, mut work: Work<R>) -> oneshot::Receiver<Part<R>> {
        let bell = Waker::from(Arc::clone(&self.bell));
        let runtime = Handle::current();
        let part = move || {
            let _runtime = runtime.enter();
            match work.as_mut().poll(&mut Context::from_waker(&bell)) {
                Poll::Ready(result) => Ok(result),
                Poll::Pending => Err(work),
            }
        };
        self.hooks.send_away(&self.asked, part)
    }
}

impl<R: Send + 'static, A: Fn() -> G + Unpin, G: Unpin> Future for Drive<'_, R, A, G> {
    type Output = Result<R, HookError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.bell.listen(cx.waker());
        loop {
            match std::mem::replace(&mut this.state, State::Done) {
                State::Done => return Poll::Ready(Err(panicked())),
                State::Here(work) => {
                    if !this.bell.has_rung.swap(false, Ordering::SeqCst) {
                        this.state = State::Here(work);
                        return Poll::Pending;
                    }
                    this.state = State::Away(this.go_on(work), (this.away)());
                }
                State::Away(mut away, held) => match Pin::new(&mut away).poll(cx) {
                    Poll::Pending => {
                        this.state = State::Away(away, held);
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(panicked())),
                    Poll::Ready(Ok(Ok(result))) => return Poll::Ready(Ok(result)),
                    Poll::Ready(Ok(Err(work))) => this.state = State::Here(work),
                },
            }
        }
    }
}
