//! How many requests of each pool wait for their hooks: they take nobody's place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use carousel_core::id::PoolId;
use carousel_core::pool::Outlook;

use crate::engine::Shared;
use crate::ports::{Sites, Transport};

/// Requests of one pool whose hooks are away at once, beyond which no other one of it is started.
const MOST: usize = 64;

/// Requests by pool whose hooks are away. As many pools as have such requests.
#[derive(Default)]
pub(crate) struct InHooks(Mutex<BTreeMap<PoolId, usize>>);

impl InHooks {
    fn change(&self, pool: &PoolId, change: impl FnOnce(usize) -> usize) {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = change(pools.get(pool).copied().unwrap_or_default());
        match count {
            0 => drop(pools.remove(pool)),
            count => drop(pools.insert(pool.clone(), count)),
        }
    }

    /// A pool's outlook with those of its requests in mind that are away.
    pub(crate) fn in_view(&self, pool: &PoolId, outlook: Outlook) -> Outlook {
        let away = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(pool).copied().unwrap_or_default();
        let parked = outlook.parked.saturating_add(away);
        match away {
            0 => outlook,
            1..MOST => Outlook { parked, ..outlook },
            _ => Outlook { room: 0, growth: 0, parked, ..outlook },
        }
    }
}

/// A request whose hook is away.
pub(crate) struct InHook<T: Transport, S: Sites> {
    shared: Arc<Shared<T, S>>,
    pool: PoolId,
}

impl<T: Transport, S: Sites> InHook<T, S> {
    pub(crate) fn new(shared: &Arc<Shared<T, S>>, pool: &PoolId) -> Self {
        shared.in_hooks.change(pool, |away| away + 1);
        shared.tell_listener(&Some(pool.clone()));
        Self { shared: Arc::clone(shared), pool: pool.clone() }
    }
}

impl<T: Transport, S: Sites> Drop for InHook<T, S> {
    fn drop(&mut self) {
        self.shared.in_hooks.change(&self.pool, |away| away.saturating_sub(1));
        self.shared.tell_listener(&Some(self.pool.clone()));
    }
}
