//! The floor: the least that wasmtime can do for the same call of the same component, with a host that knows nothing but the page.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use carousel_document::{Document, Language, Query, Want};
use wasmtime::component::{Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker, Resource, ResourceType};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

/// What a handle of the host stands for; there is one of each.
enum Handle {}

/// `verdict` of the interface.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Verdict {
    kind: String,
    #[allow(dead_code, reason = "part of the interface")]
    reason: String,
    #[allow(dead_code, reason = "part of the interface")]
    delay: f64,
}

/// `failure` of the interface.
#[derive(ComponentType, Debug, Lift)]
#[component(record)]
#[allow(dead_code, reason = "part of the interface")]
pub(crate) struct Failure {
    kind: String,
    message: String,
    token: u32,
}

type Check = (Result<Verdict, Failure>,);

/// A component, ready to be called on one parsed page.
#[derive(Clone)]
pub(crate) struct Bare {
    pre: InstancePre<Arc<Document>>,
    check: ComponentExportIndex,
    page: Arc<Document>,
}

impl Bare {
    pub(crate) fn new(component: &Path, html: &str) -> Self {
        let engine = engine();
        let component = Component::from_file(&engine, component).expect("a component");
        let linker = linker(&engine, &component);
        let hooks = component.get_export_index(None, "carousel:session/hooks@0.1.0").expect("hooks");
        let check = component.get_export_index(Some(&hooks), "check").expect("check");
        let page = Arc::new(Document::new([], None, Some(html.into()), ""));
        Self { pre: linker.instantiate_pre(&component).expect("all imports"), check, page }
    }

    /// A fresh instance and one call of `check`; true if the page is kept.
    pub(crate) fn check(&self) -> bool {
        let mut store = Store::new(self.pre.engine(), Arc::clone(&self.page));
        store.set_epoch_deadline(1_000);
        let instance = self.pre.instantiate(&mut store).expect("an instance");
        let check =
            instance.get_typed_func::<(Resource<Handle>, Resource<Handle>), Check>(&mut store, &self.check).expect("check");
        let (verdict,) = check.call(&mut store, (Resource::new_borrow(0), Resource::new_borrow(0))).expect("a result");
        black_box(verdict).expect("a verdict").kind == "keep"
    }
}

/// What the plugin host sets, too: its calls could not be cheaper without it.
fn engine() -> Engine {
    let mut pooling = PoolingAllocationConfig::new();
    pooling.linear_memory_keep_resident(256 << 10).table_keep_resident(64 << 10).total_component_instances(64);
    let mut config = Config::new();
    config.concurrency_support(false).epoch_interruption(true);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling));
    Engine::new(&config).expect("an engine")
}

/// `response.css` on the page of the store; everything else is there and traps.
fn linker(engine: &Engine, component: &Component) -> Linker<Arc<Document>> {
    let mut linker = Linker::new(engine);
    let mut types = linker.instance("carousel:session/types@0.1.0").expect("an interface");
    for resource in ["request", "response", "session"] {
        types.resource(resource, ResourceType::host::<Handle>(), |_, _| Ok(())).expect("a resource");
    }
    type Told = Result<Option<String>, String>;
    let css = |store: wasmtime::StoreContextMut<'_, Arc<Document>>, (_page, selector): (Resource<Handle>, String)| {
        let answers = store.data().select(&[Query::new(Language::Css, selector, Want::First)]);
        let first = answers.map(|answers| answers.into_iter().next().and_then(|answer| answer.into_iter().next()));
        Ok((Told::from(first.map_err(|error| error.to_string())),))
    };
    types.func_wrap("[method]response.css", css).expect("a function");
    linker.define_unknown_imports_as_traps(component).expect("the other imports");
    linker
}
