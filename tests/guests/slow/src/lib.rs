//! A legal plugin that takes its time, so that the host can be tested for what it makes of that.
//!
//! The site's config says in which hook it computes and for how long: `{"hook": "pool", "rounds": 1000}`. A round takes about a
//! microsecond. Other hooks do as usual.

use std::hint::black_box;

use carousel_guest::prelude::*;

/// Steps of one round.
const STEPS: u64 = 1_000;

struct Slow;

#[session_config(include = ["slow.example"])]
impl SessionConfig for Slow {
    fn pool(request: &Request) -> Result<Pool> {
        compute("pool")?;
        default::pool(request)
    }

    fn check(_response: &Response, _request: &Request) -> Result<Verdict> {
        compute("check")?;
        Ok(Verdict::keep())
    }

    fn process_request(_request: &Request) -> Result<Edit> {
        compute("process_request")?;
        Ok(Edit::none())
    }

    fn params(request: &Request) -> Result<Params> {
        compute("params")?;
        default::params(request)
    }
}

/// Computes, if the config means this hook.
fn compute(hook: &str) -> Result<()> {
    let config: Value = config()?;
    let is_meant = config.get("hook").and_then(Value::as_str) == Some(hook);
    let rounds = config.get("rounds").and_then(Value::as_u64).filter(|_| is_meant).unwrap_or_default();
    black_box(work(rounds));
    Ok(())
}

fn work(rounds: u64) -> u64 {
    (0..rounds * STEPS).fold(1, |sum, step| black_box(sum ^ step).wrapping_mul(31))
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_round_is_no_work() {
        assert_eq!(super::work(0), 1);
        assert_ne!(super::work(1), 1);
    }
}
