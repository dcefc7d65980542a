//! `download` for the hooks that may use it: the guest blocks, the thread does not.

use carousel_core::exchange::{Answer, CallError, Object};
use serde_json::Value;
use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};

use crate::bindings::carousel::session::types::DownloadError;
use crate::call::Call;
use crate::clock::{Left, ticks};
use crate::handles::ResponseHandle;
use crate::interface::HOST;
use crate::stopped::Stop;

/// What a guest gets for a download.
type Downloaded = std::result::Result<Resource<ResponseHandle>, DownloadError>;

/// Replaces the refusing `download` by one that asks the engine.
pub(crate) fn add_to_linker(linker: &mut Linker<Call>) -> Result<()> {
    linker
        .instance(HOST)?
        .func_wrap_async("download", |store, (params,): (String,)| Box::new(async move { Ok((download(store, params).await?,)) }))
}

async fn download(mut store: StoreContextMut<'_, Call>, params: String) -> Result<Downloaded> {
    let Ok(Value::Object(params)) = serde_json::from_str::<Value>(&params) else {
        return Ok(Err(refused("the parameters of a download must be a JSON object".to_owned())));
    };
    match ask_engine(&mut store, params).await? {
        Ok(Ok(answer)) => Ok(store.data_mut().keep(answer).map_err(refused)),
        Ok(Err(error)) => Ok(Err(failed(store.data_mut(), error))),
        Err(why) => Ok(Err(refused(why))),
    }
}

/// Waits for the engine while the guest's clock rests.
async fn ask_engine(
    store: &mut StoreContextMut<'_, Call>,
    params: Object,
) -> Result<std::result::Result<std::result::Result<Answer, CallError>, String>> {
    let downloader = match store.data_mut().next_download(&params) {
        Ok(downloader) => downloader,
        Err(why) => return Ok(Err(why)),
    };
    store.data_mut().clock.rest();
    let result = downloader.download(params).await;
    resume(store)?;
    Ok(Ok(result))
}

/// Lets the guest go on with the time that it has left.
pub(crate) fn resume(store: &mut StoreContextMut<'_, Call>) -> Result<(), Stop> {
    let clock = &mut store.data_mut().clock;
    clock.resume();
    match clock.left() {
        Left::Some(left) => {
            store.set_epoch_deadline(ticks(left));
            Ok(())
        }
        Left::Nothing => Err(Stop::Deadline(clock.limit())),
    }
}

fn refused(message: String) -> DownloadError {
    DownloadError { token: 0, kind: "refused".to_owned(), status: 0, problem_type: String::new(), message }
}

fn failed(call: &mut Call, error: CallError) -> DownloadError {
    let (kind, status, problem_type) = match error.problem() {
        Some(problem) => ("api", problem.status, problem.kind.clone()),
        None => ("network", 0, String::new()),
    };
    let message = error.to_string();
    DownloadError { token: call.remember_download(error), kind: kind.to_owned(), status, problem_type, message }
}
