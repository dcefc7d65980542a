//! Standard error, written by a thread of its own: whoever says something waits for a slow reader, but not for one that has stopped.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that wait to be written before those who say more wait, too.
const MAX_BYTES: usize = 1 << 20;

/// How long nothing may be written before the reader counts as stopped.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes one text.
type Sink = dyn Fn(&[u8]) + Send + Sync;

/// The texts on their way.
#[derive(Clone)]
pub(super) struct Stderr(Arc<Shared>);

struct Shared {
    sink: Box<Sink>,
    max_bytes: usize,
    patience: Duration,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// At most `max_bytes`, or one text.
    texts: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Texts that were written.
    written: u64,
    /// Texts that were left out because nobody reads.
    dropped: u64,
    is_writing: bool,
    /// Nothing was written for a while; true until something is.
    is_stalled: bool,
    has_thread: bool,
}

impl Stderr {
    /// Writes to a sink, from the first text on.
    pub(super) fn to(sink: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self::with(sink, MAX_BYTES, PATIENCE)
    }

    fn with(sink: impl Fn(&[u8]) + Send + Sync + 'static, max_bytes: usize, patience: Duration) -> Self {
        let (queue, changed) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { sink: Box::new(sink), max_bytes, patience, queue, changed }))
    }

    /// Writes a text soon. It is left out, and counted, where there is no room and the reader has stopped.
    pub(super) fn push(&self, text: Vec<u8>) {
        let mut queue = self.0.lock();
        while queue.bytes > 0 && queue.bytes + text.len() > self.0.max_bytes {
            let (after, is_moving) = self.0.wait_for_progress(queue);
            queue = after;
            if !is_moving {
                queue.dropped += 1;
                return;
            }
        }
        queue.bytes += text.len();
        queue.texts.push_back(text);
        if !queue.has_thread {
            queue.has_thread = true;
            let shared = Arc::clone(&self.0);
            if std::thread::Builder::new().name("stderr".to_owned()).spawn(move || shared.write_for_ever()).is_err() {
                // Where there is no thread to be had the text is worth the wait.
                queue.has_thread = false;
                self.0.write_all(queue);
                return;
            }
        }
        drop(queue);
        self.0.changed.notify_all();
    }

    /// Waits until everything is written, or the reader has stopped.
    pub(super) fn flush(&self) {
        let mut queue = self.0.lock();
        while queue.is_writing || !queue.texts.is_empty() {
            let (after, is_moving) = self.0.wait_for_progress(queue);
            queue = after;
            if !is_moving {
                return;
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more text is written; the answer is false where the reader has stopped.
    fn wait_for_progress<'q>(&self, mut queue: MutexGuard<'q, Queue>) -> (MutexGuard<'q, Queue>, bool) {
        if queue.is_stalled {
            return (queue, false);
        }
        let before = queue.written;
        let has_waited = |queue: &mut Queue| queue.written == before;
        queue = self.changed.wait_timeout_while(queue, self.patience, has_waited).unwrap_or_else(PoisonError::into_inner).0;
        queue.is_stalled = queue.written == before;
        let is_moving = !queue.is_stalled;
        (queue, is_moving)
    }

    fn write_for_ever(&self) {
        loop {
            let queue = self.changed.wait_while(self.lock(), |queue| queue.texts.is_empty());
            self.write_all(queue.unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn write_all<'q>(&'q self, mut queue: MutexGuard<'q, Queue>) {
        while let Some(text) = queue.texts.pop_front() {
            queue.bytes -= text.len();
            queue.is_writing = true;
            drop(queue);
            (self.sink)(&text);
            queue = self.lock();
            queue.is_writing = false;
            queue.is_stalled = false;
            queue.written += 1;
            let dropped = std::mem::take(&mut queue.dropped);
            if dropped > 0 {
                let told = format!(" WARN {dropped} log records were left out: nobody read standard error\n").into_bytes();
                queue.bytes += told.len();
                queue.texts.push_back(told);
            }
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A reader that reads a text each time it is told to.
    struct Reader {
        begun: Receiver<()>,
        read: Sender<()>,
        text: Arc<Mutex<String>>,
    }

    fn stderr(max_bytes: usize, patience: Duration) -> (Stderr, Reader) {
        let (begin, begun) = channel();
        let (read, may_read) = channel();
        let text: Arc<Mutex<String>> = Arc::default();
        let (written, may_read) = (Arc::clone(&text), Mutex::new(may_read));
        let stderr = Stderr::with(
            move |bytes| {
                // A test that has ended reads no more.
                if begin.send(()).is_err() || may_read.lock().unwrap().recv().is_err() {
                    return;
                }
                written.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
            },
            max_bytes,
            patience,
        );
        (stderr, Reader { begun, read, text })
    }

    #[test]
    fn nobody_waits_for_a_reader_that_has_stopped_and_what_is_left_out_is_counted() {
        let (stderr, reader) = stderr(4, Duration::ZERO);
        stderr.push(b"a\n".to_vec());
        reader.begun.recv().unwrap();
        for text in ["bb\n", "cc\n", "dd\n"] {
            stderr.push(text.as_bytes().to_vec());
        }
        stderr.flush();
        assert_eq!(*reader.text.lock().unwrap(), "", "a flush does not wait either");
        for _ in 0..2 {
            reader.read.send(()).unwrap();
            reader.begun.recv().unwrap();
        }
        reader.read.send(()).unwrap();
        stderr.push(b"e\n".to_vec());
        reader.begun.recv().unwrap();
        let text = reader.text.lock().unwrap().clone();
        assert_eq!(text, "a\nbb\n WARN 2 log records were left out: nobody read standard error\n");
    }

    #[test]
    fn a_reader_that_is_only_slow_gets_everything_in_order() {
        let (stderr, reader) = stderr(4, Duration::from_secs(60));
        let slow = std::thread::spawn(move || {
            for _ in 0..100 {
                reader.begun.recv().unwrap();
                reader.read.send(()).unwrap();
            }
            reader.text
        });
        let expected: String = (0..100).map(|n| format!("{n}\n")).collect();
        (0..100).for_each(|n| stderr.push(format!("{n}\n").into_bytes()));
        stderr.flush();
        assert_eq!(*slow.join().unwrap().lock().unwrap(), expected);
    }

    #[test]
    fn a_text_that_is_larger_than_the_queue_is_written_all_the_same() {
        let (stderr, reader) = stderr(1, Duration::from_secs(60));
        reader.read.send(()).unwrap();
        stderr.push(b"a long text\n".to_vec());
        stderr.flush();
        assert_eq!(*reader.text.lock().unwrap(), "a long text\n");
    }
}
