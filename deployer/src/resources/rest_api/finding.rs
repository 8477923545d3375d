//! Which of the account's APIs is the stack's.

use super::{RestApi, reading};
use crate::engine::Step;
use crate::error::{Error, Result};
use crate::names::{Owner, Tags};
use aws_sdk_apigateway::types::RestApi as SdkRestApi;

/// The API that is, or would become, the stack's.
pub(super) struct Candidate {
    pub(super) api: SdkRestApi,
    pub(super) twins: Vec<String>,
    pub(super) rivals: Vec<String>,
}

impl RestApi {
    /// Those of ours, by their tags, and the others. Every run has to choose the same one, so the oldest comes first.
    pub(super) fn ours(&self, mut all: Vec<SdkRestApi>) -> (Vec<SdkRestApi>, Vec<SdkRestApi>) {
        all.sort_by_key(|api| (api.created_date.map(|date| date.as_nanos()), api.id.clone()));
        all.into_iter().partition(|api| self.owner_of(api) == Owner::Ours)
    }

    fn owner_of(&self, api: &SdkRestApi) -> Owner {
        let tags: Tags = api.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        self.scope.owner(&tags)
    }

    /// Ours; when there is none, what has our name.
    pub(super) async fn find(&self, step: &Step<'_>) -> Result<Option<Candidate>> {
        let (mut ours, others) = self.ours(reading::apis(step).await?);
        let ids = |apis: &[SdkRestApi]| apis.iter().filter_map(|api| api.id.clone()).collect();
        if !ours.is_empty() {
            let api = ours.remove(0);
            return Ok(Some(Candidate { api, twins: ids(&ours), rivals: Vec::new() }));
        }
        if let Some(id) = &self.adopt {
            let chosen = others.into_iter().find(|api| api.id() == Some(id));
            let api = chosen
                .ok_or_else(|| Error::usage(format!("there is no API {id} in {}", self.scope.region)))?;
            return Ok(Some(Candidate { api, twins: Vec::new(), rivals: Vec::new() }));
        }
        let same_name = others.into_iter().filter(|api| api.name() == Some(&self.name));
        let (mut unclaimed, mut foreign): (Vec<_>, Vec<_>) =
            same_name.partition(|api| self.owner_of(api) == Owner::Unclaimed);
        let api = match (unclaimed.is_empty(), foreign.is_empty()) {
            (false, _) => unclaimed.remove(0),
            (true, false) => foreign.remove(0),
            (true, true) => return Ok(None),
        };
        Ok(Some(Candidate { api, twins: Vec::new(), rivals: ids(&unclaimed) }))
    }
}
