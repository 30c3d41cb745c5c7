"""The tables by noun, the sessions that read and write them, and their migrations."""

from hub.store.columns import new_id
from hub.store.consent import ConsentRow
from hub.store.database import Session, Store
from hub.store.deliveries import ActivityRow, RejectedRow
from hub.store.endpoints import EndpointRow, OutgoingRow, OutgoingTryRow
from hub.store.fleet import DepotRow, DriverRow, PlaceRow, ShiftRow, VehicleRow
from hub.store.messaging import EarlyReportRow, ReplyRow, TextLimitRow
from hub.store.operator import ApiKeyRow, ClockRow, MerchantRow, SettingRow, TokenRow, UserRow
from hub.store.orders import FlagRow, ImportErrorRow, ImportRow, OrderLineRow, OrderRow, StopRow
from hub.store.people import AuditRow, FactorRow, RecoveryRow, SessionRow
from hub.store.previews import PreviewRow
from hub.store.principals import Driver, Merchant, Nobody, Operator, Principal, Role, System
from hub.store.privacy import PrivacyRow
from hub.store.reoptimisations import ReoptimisationRow
from hub.store.routes import (
    AttemptLineRow,
    AttemptRow,
    EtaRow,
    MessageRow,
    OptOutRow,
    PlanRow,
    ProofFileRow,
    ProofReceiptRow,
    ProofRow,
    RouteRow,
)
from hub.store.work import (
    ConnectionRow,
    CursorRow,
    EffectRow,
    EventRow,
    GateRow,
    InboxRow,
    LeaderRow,
    PersonRow,
    PluginRow,
    RevisionRow,
    RunRow,
    ScheduleRow,
    StepAttemptRow,
    StepRow,
    WorkflowRow,
    WorkRow,
)

__all__ = [
    "ActivityRow",
    "ApiKeyRow",
    "AttemptLineRow",
    "AttemptRow",
    "AuditRow",
    "ClockRow",
    "ConnectionRow",
    "ConsentRow",
    "CursorRow",
    "DepotRow",
    "Driver",
    "DriverRow",
    "EarlyReportRow",
    "EffectRow",
    "EndpointRow",
    "EtaRow",
    "EventRow",
    "FactorRow",
    "FlagRow",
    "GateRow",
    "ImportErrorRow",
    "ImportRow",
    "InboxRow",
    "LeaderRow",
    "Merchant",
    "MerchantRow",
    "MessageRow",
    "Nobody",
    "Operator",
    "OptOutRow",
    "OrderLineRow",
    "OrderRow",
    "OutgoingRow",
    "OutgoingTryRow",
    "PersonRow",
    "PlaceRow",
    "PlanRow",
    "PluginRow",
    "PreviewRow",
    "Principal",
    "PrivacyRow",
    "ProofFileRow",
    "ProofReceiptRow",
    "ProofRow",
    "RecoveryRow",
    "RejectedRow",
    "ReoptimisationRow",
    "ReplyRow",
    "RevisionRow",
    "Role",
    "RouteRow",
    "RunRow",
    "ScheduleRow",
    "Session",
    "SessionRow",
    "SettingRow",
    "ShiftRow",
    "StepAttemptRow",
    "StepRow",
    "StopRow",
    "Store",
    "System",
    "TextLimitRow",
    "TokenRow",
    "UserRow",
    "VehicleRow",
    "WorkRow",
    "WorkflowRow",
    "new_id",
]
