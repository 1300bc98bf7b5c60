//! `CandidatesService`: people and their rights over their data.

use std::sync::Arc;

use conum_kernel::{CandidateId, Error, Rule};
use conum_proto::candidates::v1::{
    Candidate, CandidateCard, CandidateExport, CreateCandidateRequest, DismissDoubleRequest, EraseCandidateRequest,
    ExportCandidateRequest, GetCandidateCardRequest, GetCandidateRequest, ImportCandidatesRequest,
    ImportCandidatesResponse, ImportedCandidate, LeaveProgrammeRequest, ListCandidateHistoryRequest,
    ListCandidateHistoryResponse, ListCandidatesRequest, ListCandidatesResponse, MergeCandidatesRequest,
    RecordPixResultRequest, SetPixConsentRequest, UpdateCandidateRequest, candidates_service_server::CandidatesService,
};
use conum_service::{Call, Failure, Host, Scope, Tx, paging::Page, wire};
use futures::{StreamExt as _, future::BoxFuture, stream::BoxStream};
use tonic::{Request, Response, Status, Streaming};

use super::{
    asked,
    convert::{self, PixResults},
    reading,
};
use crate::{
    commands::{carry_out, ending, registering},
    domain::{doubles::mail_key, pix},
    storage::candidates::{self, Filter, Stored, lock_known, lock_survivor},
};

/// The rpc of candidates.
#[derive(Clone, Debug)]
pub struct Candidates(pub Host);

/// How many lines a batch of an import may have.
const MOST_LINES: usize = 500;

/// A command on registrations: what it makes of one.
type Outcome<'t> = BoxFuture<'t, Result<Stored, Failure>>;

/// The registration that a caller acts on, which is its own where the caller may act on its own only.
fn own(call: &Call, field: &str, name: &str) -> Result<CandidateId, Error> {
    let id = CandidateId::parse_name(field, name)?;
    call.require_owner(&[&id.name()])?;
    Ok(id)
}

/// A registration as the caller is shown it: its Pix result is the person's own (C05).
fn shown(call: &Call, stored: Stored) -> Response<Candidate> {
    let pix = if call.scope == Scope::Own { PixResults::Shown } else { PixResults::Hidden };
    Response::new(convert::candidate(stored, pix))
}

fn create(tx: &Tx, call: Call, asked: CreateCandidateRequest) -> Outcome<'_> {
    Box::pin(async move {
        let asked = asked.candidate.ok_or_else(|| wire::required("candidate"))?;
        registering::register(tx, &call, asked::register(asked)?).await
    })
}

fn update(tx: &Tx, call: Call, asked: UpdateCandidateRequest) -> Outcome<'_> {
    Box::pin(async move {
        let mask = asked.update_mask;
        let asked = asked.candidate.ok_or_else(|| wire::required("candidate"))?;
        let id = own(&call, "candidate.name", &asked.name)?;
        let changes = asked::changes(&asked, mask.as_ref())?;
        let stored = lock_known(tx, id).await?;
        wire::fresh(&asked.name, &asked.etag, stored.version)?;
        registering::correct(tx, &call, stored, changes).await
    })
}

fn record_pix(tx: &Tx, call: Call, asked: RecordPixResultRequest) -> Outcome<'_> {
    Box::pin(async move {
        let id = own(&call, "name", &asked.name)?;
        let passed_on = wire::date("passed_on", asked.passed_on.as_ref())?;
        let Stored { candidate, version } = lock_known(tx, id).await?;
        carry_out(tx, &call, version, pix::record(candidate, asked.score, passed_on, call.moment)?).await
    })
}

fn set_consent(tx: &Tx, call: Call, asked: SetPixConsentRequest) -> Outcome<'_> {
    Box::pin(async move {
        let Stored { candidate, version } = lock_known(tx, own(&call, "name", &asked.name)?).await?;
        carry_out(tx, &call, version, pix::set_consent(candidate, asked.consent, call.moment)?).await
    })
}

fn leave(tx: &Tx, call: Call, asked: LeaveProgrammeRequest) -> Outcome<'_> {
    Box::pin(async move {
        let stored = lock_known(tx, own(&call, "name", &asked.name)?).await?;
        wire::fresh(&asked.name, &asked.etag, stored.version)?;
        ending::leave(tx, &call, stored).await
    })
}

fn merge(tx: &Tx, call: Call, asked: MergeCandidatesRequest) -> Outcome<'_> {
    Box::pin(async move {
        let survivor = own(&call, "name", &asked.name)?;
        let duplicate = CandidateId::parse_name("duplicate", &asked.duplicate)?;
        ending::merge(tx, &call, survivor, duplicate).await
    })
}

fn dismiss(tx: &Tx, call: Call, asked: DismissDoubleRequest) -> Outcome<'_> {
    Box::pin(async move {
        let one = own(&call, "name", &asked.name)?;
        let other = CandidateId::parse_name("other", &asked.other)?;
        if one == other {
            return Err(Error::invalid(
                "other",
                "SAME_REGISTRATION",
                "a registration is no double of itself",
                "une inscription n'est pas un doublon d'elle-même",
            )
            .with_rule(Rule("C08"))
            .into());
        }
        ending::dismiss(tx, &call, one, other).await
    })
}

/// A registration that was merged is erased with the one that goes on, and all that had ended in it.
fn erase(tx: &Tx, call: Call, asked: EraseCandidateRequest) -> Outcome<'_> {
    Box::pin(async move {
        let id = own(&call, "name", &asked.name)?;
        let stored = lock_survivor(tx, id).await?.ok_or_else(|| Error::not_found(&asked.name))?;
        ending::erase(tx, &call, stored).await
    })
}

/// Registers a batch in one transaction.
async fn import(host: &Host, call: Call, batch: Vec<ImportedCandidate>) -> Result<ImportCandidatesResponse, Status> {
    if batch.len() > MOST_LINES {
        let error = Error::invalid("candidates", "TOO_MANY", "at most 500 lines", "au plus 500 lignes");
        return Err(Failure::from(error).into());
    }
    let numbers: Vec<_> = batch.iter().map(|line| line.line).collect();
    let batch: Arc<[_]> = batch.into_iter().map(asked::line).collect();
    let imported = host
        .store()
        .write(move |tx| {
            let (call, batch) = (call.clone(), batch.clone());
            Box::pin(async move { registering::import(tx, &call, &batch).await })
        })
        .await?;
    host.wake();
    let lines = numbers.into_iter().zip(imported).map(|(line, outcome)| convert::imported(line, outcome)).collect();
    Ok(ImportCandidatesResponse { lines })
}

#[tonic::async_trait]
impl CandidatesService for Candidates {
    async fn create_candidate(&self, request: Request<CreateCandidateRequest>) -> Result<Response<Candidate>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let registered = if asked.validate_only {
            self.0.rehearse(&call, asked, create).await?
        } else {
            self.0.command(&call, asked, create).await?
        };
        Ok(shown(&call, registered))
    }

    type ImportCandidatesStream = BoxStream<'static, Result<ImportCandidatesResponse, Status>>;

    async fn import_candidates(
        &self,
        request: Request<Streaming<ImportCandidatesRequest>>,
    ) -> Result<Response<Self::ImportCandidatesStream>, Status> {
        let call = self.0.call(&request, "")?;
        let host = self.0.clone();
        let batches = request.into_inner();
        let answers = batches.then(move |batch| {
            let (host, mut call) = (host.clone(), call.clone());
            call.moment = host.clock().moment();
            async move { import(&host, call, batch?.candidates).await }
        });
        Ok(Response::new(answers.boxed()))
    }

    async fn get_candidate(&self, request: Request<GetCandidateRequest>) -> Result<Response<Candidate>, Status> {
        let call = self.0.call(&request, "")?;
        let id = own(&call, "name", &request.get_ref().name).map_err(Failure::from)?;
        let found = candidates::find(self.0.store().read(), id).await?;
        Ok(shown(&call, found.ok_or_else(|| Failure::from(Error::not_found(&id.name())))?))
    }

    async fn list_candidates(
        &self,
        request: Request<ListCandidatesRequest>,
    ) -> Result<Response<ListCandidatesResponse>, Status> {
        let asked = request.into_inner();
        let filter = Filter {
            state: asked::state(asked.state).map_err(Failure::from)?,
            mail_key: mail_key(&asked.email),
            department: asked.department,
        };
        let list = format!("candidates?{}&{:?}&{}", filter.department, filter.state, filter.mail_key);
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = candidates::list(self.0.store().read(), &filter, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |stored| stored.candidate.id.to_string());
        let candidates = found.into_iter().map(|stored| convert::candidate(stored, PixResults::Hidden)).collect();
        Ok(Response::new(ListCandidatesResponse { candidates, next_page_token }))
    }

    async fn update_candidate(&self, request: Request<UpdateCandidateRequest>) -> Result<Response<Candidate>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let corrected = if asked.validate_only {
            self.0.rehearse(&call, asked, update).await?
        } else {
            self.0.command(&call, asked, update).await?
        };
        Ok(shown(&call, corrected))
    }

    async fn record_pix_result(&self, request: Request<RecordPixResultRequest>) -> Result<Response<Candidate>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        Ok(shown(&call, self.0.command(&call, request.into_inner(), record_pix).await?))
    }

    async fn set_pix_consent(&self, request: Request<SetPixConsentRequest>) -> Result<Response<Candidate>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        Ok(shown(&call, self.0.command(&call, request.into_inner(), set_consent).await?))
    }

    async fn get_candidate_card(
        &self,
        request: Request<GetCandidateCardRequest>,
    ) -> Result<Response<CandidateCard>, Status> {
        let call = self.0.call(&request, "")?;
        Ok(Response::new(reading::card(&self.0, &call, request.into_inner().name).await?))
    }

    async fn leave_programme(&self, request: Request<LeaveProgrammeRequest>) -> Result<Response<Candidate>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        Ok(shown(&call, self.0.command(&call, request.into_inner(), leave).await?))
    }

    async fn merge_candidates(&self, request: Request<MergeCandidatesRequest>) -> Result<Response<Candidate>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        Ok(shown(&call, self.0.command(&call, request.into_inner(), merge).await?))
    }

    async fn dismiss_double(&self, request: Request<DismissDoubleRequest>) -> Result<Response<Candidate>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        Ok(shown(&call, self.0.command(&call, request.into_inner(), dismiss).await?))
    }

    async fn export_candidate(
        &self,
        request: Request<ExportCandidateRequest>,
    ) -> Result<Response<CandidateExport>, Status> {
        let call = self.0.call(&request, "")?;
        let id = own(&call, "name", &request.get_ref().name).map_err(Failure::from)?;
        Ok(Response::new(reading::export(&self.0, &call, id).await?))
    }

    async fn erase_candidate(&self, request: Request<EraseCandidateRequest>) -> Result<Response<Candidate>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        Ok(shown(&call, self.0.command(&call, request.into_inner(), erase).await?))
    }

    async fn list_candidate_history(
        &self,
        request: Request<ListCandidateHistoryRequest>,
    ) -> Result<Response<ListCandidateHistoryResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let id = own(&call, "parent", &asked.parent).map_err(Failure::from)?;
        let (entries, next_page_token) = reading::history(&self.0, id, asked.page_size, &asked.page_token).await?;
        Ok(Response::new(ListCandidateHistoryResponse { entries, next_page_token }))
    }
}
