//! `wasi:io/poll`: how a guest waits for a point in time.
//!
//! In a hook that holds its thread, sleeping counts as computing: a guest that wants to sleep longer than it may still compute is
//! stopped at once, so no thread ever waits for it. In `params` and `init-session` the guest sleeps without a thread, within
//! `[plugins] init_timeout`.

use std::time::{Duration, Instant};

use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

use super::{Pollable, Sleep};
use crate::call::Call;
use crate::clock::Left;
use crate::download::resume;
use crate::stopped::Stop;

/// Something a guest may wait for.
pub(super) enum PollableHandle {}

/// The pollables that a guest may hold at once.
const POLLABLES: usize = 1024;

/// Gives a guest something to wait for.
pub(super) fn open(call: &mut Call, pollable: Pollable) -> Result<Resource<PollableHandle>, Stop> {
    let pollables = &mut call.wasi.pollables;
    let free = pollables.iter().position(Option::is_none).unwrap_or(pollables.len());
    match pollables.get_mut(free) {
        Some(place) => *place = Some(pollable),
        None if free < POLLABLES => pollables.push(Some(pollable)),
        None => return Err(Stop::TooMany("pollables")),
    }
    Ok(Resource::new_own(u32::try_from(free).unwrap_or(u32::MAX)))
}

pub(super) fn add_to_linker(linker: &mut Linker<Call>, sleep: Sleep) -> Result<()> {
    let mut poll = linker.instance("wasi:io/poll@0.2.0")?;
    poll.resource("pollable", ResourceType::host::<PollableHandle>(), |mut store, number| {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(place) = store.data_mut().wasi.pollables.get_mut(index) {
            *place = None;
        }
        Ok(())
    })?;
    poll.func_wrap("[method]pollable.ready", |store, (pollable,): (Resource<PollableHandle>,)| {
        Ok((wait(store.data(), &pollable)?.is_zero(),))
    })?;
    match sleep {
        Sleep::Thread => add_for_thread(&mut poll),
        Sleep::Guest => add_for_guest(&mut poll),
    }
}

fn add_for_thread(poll: &mut LinkerInstance<'_, Call>) -> Result<()> {
    poll.func_wrap("[method]pollable.block", |mut store, (pollable,): (Resource<PollableHandle>,)| {
        let time = wait(store.data(), &pollable)?;
        Ok(sleep_along(store.data_mut(), time)?)
    })?;
    poll.func_wrap("poll", |mut store, (pollables,): (Vec<Resource<PollableHandle>>,)| {
        let time = first(store.data(), &pollables)?;
        sleep_along(store.data_mut(), time)?;
        Ok((ready(store.data(), &pollables)?,))
    })
}

fn add_for_guest(poll: &mut LinkerInstance<'_, Call>) -> Result<()> {
    poll.func_wrap_async("[method]pollable.block", |mut store, (pollable,): (Resource<PollableHandle>,)| {
        Box::new(async move {
            let time = wait(store.data(), &pollable)?;
            sleep_alone(&mut store, time).await
        })
    })?;
    poll.func_wrap_async("poll", |mut store, (pollables,): (Vec<Resource<PollableHandle>>,)| {
        Box::new(async move {
            let time = first(store.data(), &pollables)?;
            sleep_alone(&mut store, time).await?;
            Ok((ready(store.data(), &pollables)?,))
        })
    })
}

/// How long until this one is ready.
fn wait(call: &Call, pollable: &Resource<PollableHandle>) -> Result<Duration, Stop> {
    let index = usize::try_from(pollable.rep()).unwrap_or(usize::MAX);
    match call.wasi.pollables.get(index) {
        Some(Some(Pollable::Ready)) => Ok(Duration::ZERO),
        Some(Some(Pollable::At(when))) => Ok(when.saturating_duration_since(Instant::now())),
        Some(None) | None => Err(Stop::Foreign("pollable")),
    }
}

/// How long until the first of them is ready.
fn first(call: &Call, pollables: &[Resource<PollableHandle>]) -> Result<Duration, Stop> {
    let waits: std::result::Result<Vec<_>, _> = pollables.iter().map(|pollable| wait(call, pollable)).collect();
    waits?.into_iter().min().ok_or(Stop::Foreign("pollable"))
}

/// The positions of those that are ready.
fn ready(call: &Call, pollables: &[Resource<PollableHandle>]) -> Result<Vec<u32>, Stop> {
    let mut found = Vec::new();
    for (index, pollable) in (0_u32..).zip(pollables) {
        if wait(call, pollable)?.is_zero() {
            found.push(index);
        }
    }
    Ok(found)
}

fn sleep_along(call: &mut Call, time: Duration) -> Result<(), Stop> {
    let limit = call.deadline();
    match call.clock.left() {
        Left::Some(left) if time < left => {
            if !time.is_zero() {
                std::thread::sleep(time);
                call.clock.charge(time);
            }
            Ok(())
        }
        Left::Some(_) | Left::Nothing => Err(Stop::Sleep(limit)),
    }
}

async fn sleep_alone(store: &mut StoreContextMut<'_, Call>, time: Duration) -> Result<()> {
    if !time.is_zero() {
        store.data_mut().clock.rest();
        tokio::time::sleep(time).await;
        resume(store)?;
    }
    Ok(())
}
