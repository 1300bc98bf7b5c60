//! `WavesService`: the committee's waves, and the programme as a whole.

use conum_geo::{Department, departments};
use conum_kernel::{Error, WaveId};
use conum_proto::applications::v1::{
    ActivateWaveRequest, CreateWaveRequest, GetProgrammeRequest, GetWaveRequest, ListDepartmentEquityRequest,
    ListDepartmentEquityResponse, ListGrantTotalsRequest, ListGrantTotalsResponse, ListWavesRequest, ListWavesResponse,
    Programme, ProposeAllocationRequest, ProposeAllocationResponse, Wave, waves_service_server::WavesService,
};
use conum_service::{Failure, Host, paging::Page, wire};
use jiff::civil::Date;
use sea_orm::ConnectionTrait;
use tonic::{Request, Response, Status};

use super::convert::count;
use crate::{
    commands::{granting, settings},
    domain::{
        allocation,
        equity::{DepartmentCount, equity},
    },
    storage::{
        applications,
        posts::{self, Share},
        programme, waves,
    },
};

/// The rpc of waves and the programme.
#[derive(Clone, Debug)]
pub struct Waves(pub Host);

#[tonic::async_trait]
impl WavesService for Waves {
    async fn create_wave(&self, request: Request<CreateWaveRequest>) -> Result<Response<Wave>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let opened = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let wave = asked.wave.ok_or_else(|| wire::required("wave"))?;
                    let date = wire::date("wave.committee_date", wave.committee_date.as_ref())?;
                    granting::open_wave(tx, &call, date).await
                })
            })
            .await?;
        Ok(Response::new(opened.into()))
    }

    async fn get_wave(&self, request: Request<GetWaveRequest>) -> Result<Response<Wave>, Status> {
        let name = request.into_inner().name;
        let id = WaveId::parse_name("name", &name).map_err(Failure::from)?;
        let found = waves::find(self.0.store().read(), id).await?;
        let found = found.ok_or_else(|| Failure::from(Error::not_found(&name)))?;
        Ok(Response::new(found.into()))
    }

    async fn list_waves(&self, request: Request<ListWavesRequest>) -> Result<Response<ListWavesResponse>, Status> {
        let asked = request.into_inner();
        let page = Page::read("waves", asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let after = page.after.parse().unwrap_or(0);
        let found = waves::list(self.0.store().read(), after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |stored| stored.wave.number.to_string());
        let waves = found.into_iter().map(Into::into).collect();
        Ok(Response::new(ListWavesResponse { waves, next_page_token }))
    }

    async fn activate_wave(&self, request: Request<ActivateWaveRequest>) -> Result<Response<Wave>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let activated = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(
                    async move { granting::activate_wave(tx, &call, WaveId::parse_name("name", &asked.name)?).await },
                )
            })
            .await?;
        Ok(Response::new(activated.into()))
    }

    async fn get_programme(&self, request: Request<GetProgrammeRequest>) -> Result<Response<Programme>, Status> {
        let call = self.0.call(&request, "")?;
        let connection = self.0.store().read();
        let settings = settings(connection, &call).await?;
        let programme = programme::find(connection, settings.cap).await?;
        Ok(Response::new(Programme {
            name: "programme".into(),
            cap: count(programme.cap),
            granted: count(programme.granted),
            desk_open: programme.desk(settings.closing_date, call.moment.today).is_open(),
            closing_date: Some(wire::from_date(settings.closing_date)),
        }))
    }

    async fn list_department_equity(
        &self,
        _: Request<ListDepartmentEquityRequest>,
    ) -> Result<Response<ListDepartmentEquityResponse>, Status> {
        let shares = posts::shares(self.0.store().read()).await?;
        let counts = counted(|department| shares.get(department).copied().unwrap_or_default());
        let departments = equity(counts).into_iter().map(Into::into).collect();
        Ok(Response::new(ListDepartmentEquityResponse { departments }))
    }

    async fn propose_allocation(
        &self,
        request: Request<ProposeAllocationRequest>,
    ) -> Result<Response<ProposeAllocationResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        // Between two reads a post that is granted would be counted twice, or not at all.
        let seen = self.0.store().read().snapshot().await.map_err(Failure::from)?;
        let connection = &*seen;
        let programme = programme::find(connection, settings(connection, &call).await?.cap).await?;
        let posts = allocation::requested(asked.posts, programme).map_err(Failure::from)?;
        let last_day = if asked.wave.is_empty() { None } else { Some(last_day(connection, &asked.wave).await?) };
        let granted = posts::shares(connection).await?;
        let awaiting = applications::awaiting(connection, last_day).await?;
        let counts = counted(|department| Share {
            granted: granted.get(department).map_or(0, |share| share.granted),
            asked: awaiting.get(department).copied().unwrap_or_default(),
        });
        Ok(Response::new(allocation::propose(posts, counts).into()))
    }

    async fn list_grant_totals(
        &self,
        request: Request<ListGrantTotalsRequest>,
    ) -> Result<Response<ListGrantTotalsResponse>, Status> {
        let asked = request.into_inner();
        let date = wire::date("committee_date", asked.committee_date.as_ref()).map_err(Failure::from)?;
        let department = Some(asked.department.as_str()).filter(|code| !code.is_empty());
        let totals = posts::totals(self.0.store().read(), date, department).await?;
        Ok(Response::new(ListGrantTotalsResponse { totals: totals.into_iter().map(Into::into).collect() }))
    }
}

/// Every department, with the posts that it holds and asks for.
fn counted(share: impl Fn(&str) -> Share) -> Vec<DepartmentCount> {
    let count = |department: &Department| {
        let Share { granted, asked } = share(department.code);
        DepartmentCount {
            department: department.code.to_owned(),
            name: department.name.to_owned(),
            population: department.population,
            granted,
            asked,
        }
    };
    departments().iter().map(count).collect()
}

async fn last_day<C: ConnectionTrait>(connection: &C, wave: &str) -> Result<Date, Failure> {
    let found = waves::find(connection, WaveId::parse_name("wave", wave)?).await?;
    let found = found.ok_or_else(|| Error::not_found(wave))?;
    Ok(allocation::last_day(&found.wave)?)
}
