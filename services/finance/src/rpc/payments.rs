//! `PaymentsService`: bank accounts, payment orders and files, and what the bank answers.

use conum_kernel::PaymentFileId;
use conum_proto::finance::v1::{
    BankAccount, BankAnswer, ConfirmBankAccountRequest, CreatePaymentFileRequest, DownloadPaymentFileRequest,
    DownloadPaymentFileResponse, GetBankAccountRequest, GetPaymentFileRequest, ListPaymentOrdersRequest,
    ListPaymentOrdersResponse, PaymentFile, ProposeBankAccountRequest, RecordBankAnswerRequest,
    payments_service_server::PaymentsService,
};
use conum_service::{Call, Failure, Host, Tx, paging::Page, wire};
use futures::future::BoxFuture;
use tonic::{Request, Response, Status};

use super::{narrowed, reading};
use crate::{
    commands::{granting, paying},
    domain::account::{BankAccount as Stored, Details},
    storage::{accounts, files, orders},
};

/// The rpc of payments.
#[derive(Clone, Debug)]
pub struct Payments(pub Host);

fn proposed(tx: &Tx, call: Call, asked: ProposeBankAccountRequest) -> BoxFuture<'_, Result<Stored, Failure>> {
    Box::pin(async move {
        let structure = accounts::parse_name(&asked.name)?;
        call.require_owner(&[&structure.name()])?;
        let given = asked.account.ok_or_else(|| wire::required("account"))?;
        let details = Details::read(&given.iban, &given.bic, &given.holder)?;
        let account = accounts::find(tx, structure).await?;
        wire::fresh(&asked.name, &asked.etag, account.version)?;
        granting::propose(tx, &call, account, details).await
    })
}

#[tonic::async_trait]
impl PaymentsService for Payments {
    async fn propose_bank_account(
        &self,
        request: Request<ProposeBankAccountRequest>,
    ) -> Result<Response<BankAccount>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let account = if asked.validate_only {
            self.0.rehearse(&call, asked, proposed).await?
        } else {
            self.0.command(&call, asked, proposed).await?
        };
        Ok(Response::new(account.into()))
    }

    async fn confirm_bank_account(
        &self,
        request: Request<ConfirmBankAccountRequest>,
    ) -> Result<Response<BankAccount>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let account = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let structure = accounts::parse_name(&asked.name)?;
                    call.require_owner(&[&structure.name()])?;
                    let account = accounts::find(tx, structure).await?;
                    wire::fresh(&asked.name, &asked.etag, account.version)?;
                    granting::confirm(tx, &call, structure, account).await
                })
            })
            .await?;
        Ok(Response::new(account.into()))
    }

    async fn get_bank_account(&self, request: Request<GetBankAccountRequest>) -> Result<Response<BankAccount>, Status> {
        let call = self.0.call(&request, "")?;
        let structure = accounts::parse_name(&request.get_ref().name).map_err(Failure::from)?;
        call.require_owner(&[&structure.name()]).map_err(Failure::from)?;
        Ok(Response::new(accounts::find(self.0.store().read(), structure).await?.into()))
    }

    async fn list_payment_orders(
        &self,
        request: Request<ListPaymentOrdersRequest>,
    ) -> Result<Response<ListPaymentOrdersResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let (structure, _) = narrowed(&call, &asked.structure, "").map_err(Failure::from)?;
        let state = reading::order_state(asked.state).map_err(Failure::from)?;
        let file = (!asked.payment_file.is_empty())
            .then(|| PaymentFileId::parse_name("payment_file", &asked.payment_file))
            .transpose()
            .map_err(Failure::from)?;
        let filter = orders::Filter { structure, state, file };
        let list = format!("paymentOrders?{filter:?}");
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = orders::list(self.0.store().read(), &filter, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |order| order.id.to_string());
        let payment_orders = found.into_iter().map(Into::into).collect();
        Ok(Response::new(ListPaymentOrdersResponse { payment_orders, next_page_token }))
    }

    async fn create_payment_file(
        &self,
        request: Request<CreatePaymentFileRequest>,
    ) -> Result<Response<PaymentFile>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let file = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let execution_on = wire::date("execution_on", asked.execution_on.as_ref())?;
                    paying::create_file(tx, &call, execution_on.unwrap_or(call.moment.today)).await
                })
            })
            .await?;
        Ok(Response::new(file.into()))
    }

    async fn get_payment_file(&self, request: Request<GetPaymentFileRequest>) -> Result<Response<PaymentFile>, Status> {
        let id = PaymentFileId::parse_name("name", &request.get_ref().name).map_err(Failure::from)?;
        Ok(Response::new(files::find(self.0.store().read(), id).await?.into()))
    }

    async fn download_payment_file(
        &self,
        request: Request<DownloadPaymentFileRequest>,
    ) -> Result<Response<DownloadPaymentFileResponse>, Status> {
        let id = PaymentFileId::parse_name("name", &request.get_ref().name).map_err(Failure::from)?;
        let content = files::content(self.0.store().read(), id).await?;
        let sha256 = paying::digest(&content);
        Ok(Response::new(DownloadPaymentFileResponse { name: id.name(), content, sha256 }))
    }

    async fn record_bank_answer(
        &self,
        request: Request<RecordBankAnswerRequest>,
    ) -> Result<Response<BankAnswer>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let answer = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move { paying::record_answer(tx, &call, &asked.content).await })
            })
            .await?;
        Ok(Response::new(answer.into()))
    }
}
