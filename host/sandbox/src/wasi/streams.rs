//! `wasi:io/error` and `wasi:io/streams`: output goes to the log line by line, input is at its end.

use tracing::Level;
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

use super::Pollable;
use super::poll::{PollableHandle, open};
use crate::call::Call;

/// Standard input.
pub(super) enum InputStream {}

/// Standard output or standard error, by number.
pub(super) enum OutputStream {}

/// An error of a stream; there is never one.
pub(super) enum IoError {}

/// The number of standard output.
pub(super) const STDOUT: u32 = 1;

/// The number of standard error.
pub(super) const STDERR: u32 = 2;

/// The bytes that a stream takes at once.
const WRITE_BYTES: u64 = 1 << 20;

/// The bytes of a line without an end that are kept until the end comes.
const LINE_BYTES: usize = 4096;

/// `stream-error` of the interface.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[allow(dead_code, reason = "part of the interface; no stream of ours fails")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

type Streamed<T> = std::result::Result<T, StreamError>;

/// The lines that have begun and not ended.
#[derive(Debug, Default)]
pub(super) struct Output {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Call {
    /// Takes bytes of an output stream and logs the lines that they complete.
    fn print(&mut self, stream: u32, bytes: &[u8]) {
        let (level, output) = match stream {
            STDERR => (Level::WARN, &mut self.wasi.output.stderr),
            _ => (Level::INFO, &mut self.wasi.output.stdout),
        };
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            output.extend_from_slice(part.get(..LINE_BYTES).unwrap_or(part));
            if part.ends_with(b"\n") || output.len() >= LINE_BYTES {
                self.log.line(level, String::from_utf8_lossy(output).trim_end());
                output.clear();
            }
        }
    }

    /// Logs the lines that never ended.
    pub(crate) fn flush_output(&mut self) {
        for stream in [STDOUT, STDERR] {
            let begun = match stream {
                STDERR => !self.wasi.output.stderr.is_empty(),
                _ => !self.wasi.output.stdout.is_empty(),
            };
            if begun {
                self.print(stream, b"\n");
            }
        }
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<Call>) -> Result<()> {
    let mut error = linker.instance("wasi:io/error@0.2.0")?;
    error.resource("error", ResourceType::host::<IoError>(), |_, _| Ok(()))?;
    error.func_wrap("[method]error.to-debug-string", |_, (_error,): (Resource<IoError>,)| Ok((String::new(),)))?;
    let mut streams = linker.instance("wasi:io/streams@0.2.0")?;
    add_input(&mut streams)?;
    add_output(&mut streams)
}

fn add_input(streams: &mut LinkerInstance<'_, Call>) -> Result<()> {
    streams.resource("input-stream", ResourceType::host::<InputStream>(), |_, _| Ok(()))?;
    for name in ["read", "blocking-read"] {
        let read = |_: StoreContextMut<'_, Call>, (_stream, _bytes): (Resource<InputStream>, u64)| {
            Ok((Streamed::<Vec<u8>>::Err(StreamError::Closed),))
        };
        streams.func_wrap(&format!("[method]input-stream.{name}"), read)?;
    }
    for name in ["skip", "blocking-skip"] {
        let skip = |_: StoreContextMut<'_, Call>, (_stream, _bytes): (Resource<InputStream>, u64)| {
            Ok((Streamed::<u64>::Err(StreamError::Closed),))
        };
        streams.func_wrap(&format!("[method]input-stream.{name}"), skip)?;
    }
    streams.func_wrap("[method]input-stream.subscribe", |store, (_stream,): (Resource<InputStream>,)| ready(store))
}

fn add_output(streams: &mut LinkerInstance<'_, Call>) -> Result<()> {
    streams.resource("output-stream", ResourceType::host::<OutputStream>(), |_, _| Ok(()))?;
    streams.func_wrap("[method]output-stream.check-write", |_, (_stream,): (Resource<OutputStream>,)| {
        Ok((Streamed::Ok(WRITE_BYTES),))
    })?;
    for name in ["write", "blocking-write-and-flush"] {
        let write = |mut store: StoreContextMut<'_, Call>, (stream, bytes): (Resource<OutputStream>, Vec<u8>)| {
            store.data_mut().print(stream.rep(), &bytes);
            Ok((Streamed::Ok(()),))
        };
        streams.func_wrap(&format!("[method]output-stream.{name}"), write)?;
    }
    for name in ["flush", "blocking-flush"] {
        let flush = |_: StoreContextMut<'_, Call>, (_stream,): (Resource<OutputStream>,)| Ok((Streamed::Ok(()),));
        streams.func_wrap(&format!("[method]output-stream.{name}"), flush)?;
    }
    for name in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
        let write = |_: StoreContextMut<'_, Call>, (_stream, _bytes): (Resource<OutputStream>, u64)| Ok((Streamed::Ok(()),));
        streams.func_wrap(&format!("[method]output-stream.{name}"), write)?;
    }
    for name in ["splice", "blocking-splice"] {
        let splice = |_: StoreContextMut<'_, Call>, _: (Resource<OutputStream>, Resource<InputStream>, u64)| {
            Ok((Streamed::<u64>::Err(StreamError::Closed),))
        };
        streams.func_wrap(&format!("[method]output-stream.{name}"), splice)?;
    }
    streams.func_wrap("[method]output-stream.subscribe", |store, (_stream,): (Resource<OutputStream>,)| ready(store))
}

fn ready(mut store: StoreContextMut<'_, Call>) -> Result<(Resource<PollableHandle>,)> {
    Ok((open(store.data_mut(), Pollable::Ready)?,))
}
