//! A live instance of a plugin and the way to call one of its exports.

use std::time::Instant;

use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Func, Instance, InstancePre, Lift, Lower, TypedFunc};
use wasmtime::{Result, Store, StoreContextMut, UpdateDeadline, format_err};

use crate::call::{Allowance, Call};
use crate::clock::{Left, ticks};
use crate::stopped::Stop;
use crate::trace;

/// An instance and its state. After an error it is dead.
pub(crate) struct Guest {
    store: Store<Call>,
    instance: Instance,
    /// Whether the clock runs since the instance was made or renewed, and nothing was called yet.
    fresh: bool,
}

impl Guest {
    /// Makes an instance for hooks that hold their thread. Its memory is that of the plugin as compiled; nothing of an earlier
    /// call is in it. Where it fails, the state of the call comes back with the error.
    pub(crate) fn start(pre: &InstancePre<Call>, call: Call, allowance: &Allowance) -> Result<Self, Box<Dead>> {
        let mut store = store(pre, call, allowance);
        match trace::instantiating(|| pre.instantiate(&mut store)) {
            Ok(instance) => Ok(Self { store, instance, fresh: true }),
            Err(error) => Err(Dead::of(error, store)),
        }
    }

    /// Takes up another call with an instance that served an earlier one.
    pub(crate) fn renew(&mut self, call: Call) {
        let earlier = std::mem::replace(self.state_mut(), call);
        self.state_mut().limits.go_on_from(&earlier.limits);
        begin(&mut self.store);
        self.fresh = true;
    }

    /// Makes an instance for hooks that download.
    pub(crate) async fn start_blocking(pre: &InstancePre<Call>, call: Call, allowance: &Allowance) -> Result<Self, Box<Dead>> {
        let mut store = store(pre, call, allowance);
        let began = Instant::now();
        let made = pre.instantiate_async(&mut store).await;
        trace::instantiated(began);
        match made {
            Ok(instance) => Ok(Self { store, instance, fresh: true }),
            Err(error) => Err(Dead::of(error, store)),
        }
    }

    /// Calls an export, which may compute until the deadline from now on.
    pub(crate) fn call<P, R>(&mut self, export: &ComponentExportIndex, params: P) -> Result<R>
    where
        P: ComponentNamedList + Lower,
        R: Lift + Send + Sync + 'static,
        (R,): ComponentNamedList + Lift,
    {
        self.restart_clock();
        let (result,) = self.typed::<P, R>(export)?.call(&mut self.store, params)?;
        Ok(result)
    }

    /// Calls an export that may wait for the host.
    pub(crate) async fn call_blocking<P, R>(&mut self, export: &ComponentExportIndex, params: P) -> Result<R>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: Lift + Send + Sync + 'static,
        (R,): ComponentNamedList + Lift,
    {
        self.restart_clock();
        let (result,) = self.typed::<P, R>(export)?.call_async(&mut self.store, params).await?;
        Ok(result)
    }

    pub(crate) fn state(&self) -> &Call {
        self.store.data()
    }

    pub(crate) fn state_mut(&mut self) -> &mut Call {
        self.store.data_mut()
    }

    fn typed<P, R>(&mut self, export: &ComponentExportIndex) -> Result<TypedFunc<P, (R,)>>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        let func: Func = self.instance.get_func(&mut self.store, export).ok_or_else(|| format_err!("an export is missing"))?;
        func.typed(&self.store)
    }

    /// Each hook has the whole deadline; the first one shares it with the making of its instance.
    fn restart_clock(&mut self) {
        if !std::mem::take(&mut self.fresh) {
            begin(&mut self.store);
        }
    }
}

/// An instance that could not be made: why, and what was known of the call.
pub(crate) struct Dead {
    pub(crate) error: wasmtime::Error,
    pub(crate) call: Call,
}

impl Dead {
    fn of(error: wasmtime::Error, store: Store<Call>) -> Box<Self> {
        Box::new(Self { error, call: store.into_data() })
    }
}

fn store(pre: &InstancePre<Call>, call: Call, allowance: &Allowance) -> Store<Call> {
    let mut store = Store::new(pre.engine(), call);
    store.limiter(|call| &mut call.limits);
    store.set_hostcall_fuel(allowance.max_result);
    store.epoch_deadline_callback(look_at_clock);
    begin(&mut store);
    store
}

/// The time of a call begins.
fn begin(store: &mut Store<Call>) {
    store.set_epoch_deadline(ticks(store.data().deadline()));
    store.data_mut().clock.restart();
}

/// Milliseconds of the wall have gone by: does the guest still have time of its own?
#[expect(clippy::needless_pass_by_value, reason = "wasmtime's signature")]
fn look_at_clock(store: StoreContextMut<'_, Call>) -> Result<UpdateDeadline> {
    let clock = &store.data().clock;
    match clock.left() {
        Left::Some(left) => Ok(UpdateDeadline::Continue(ticks(left))),
        Left::Nothing => Err(Stop::Deadline(clock.limit()).into()),
    }
}
