from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GET: _ClassVar[Operation]
    POST: _ClassVar[Operation]
    DELETE: _ClassVar[Operation]
    UPDATE: _ClassVar[Operation]
    IMPORT: _ClassVar[Operation]
    EXPORT: _ClassVar[Operation]
    VALIDATE: _ClassVar[Operation]
    HYDRATE: _ClassVar[Operation]
    DISCOVER: _ClassVar[Operation]

class ProvisionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNKNOWN: _ClassVar[ProvisionState]
    CREATING: _ClassVar[ProvisionState]
    CREATED: _ClassVar[ProvisionState]
    CREATE_FAILED: _ClassVar[ProvisionState]
    DELETING: _ClassVar[ProvisionState]
    DELETE_FAILED: _ClassVar[ProvisionState]
    DELETED: _ClassVar[ProvisionState]
    UPDATING: _ClassVar[ProvisionState]
    UPDATE_FAILED: _ClassVar[ProvisionState]
    UPDATED: _ClassVar[ProvisionState]
    PROVISIONING: _ClassVar[ProvisionState]
    PROVISIONED: _ClassVar[ProvisionState]
    PROVISION_FAILED: _ClassVar[ProvisionState]
    DEPROVISIONING: _ClassVar[ProvisionState]
    DEPROVISIONED: _ClassVar[ProvisionState]
    DEPROVISION_FAILED: _ClassVar[ProvisionState]
    DELETE_PENDING: _ClassVar[ProvisionState]
    IMPORTING: _ClassVar[ProvisionState]
    IMPORTED: _ClassVar[ProvisionState]
    IMPORT_FAILED: _ClassVar[ProvisionState]
    UPLOADING: _ClassVar[ProvisionState]

class HighAvailabilityState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNKNOWN_HA_STATE: _ClassVar[HighAvailabilityState]
    STABLE: _ClassVar[HighAvailabilityState]
    PENDING: _ClassVar[HighAvailabilityState]

class HealthState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTKNOWN: _ClassVar[HealthState]
    OK: _ClassVar[HealthState]
    WARNING: _ClassVar[HealthState]
    CRITICAL: _ClassVar[HealthState]
    MISSING: _ClassVar[HealthState]
    DEGRADED: _ClassVar[HealthState]
    NOTFOUND: _ClassVar[HealthState]
    NOTREADY: _ClassVar[HealthState]

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEFAULT: _ClassVar[Priority]
    LOW: _ClassVar[Priority]
    MEDIUM: _ClassVar[Priority]
    HIGH: _ClassVar[Priority]

class ValidationStateCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NODE_UNREACHABLE: _ClassVar[ValidationStateCode]
    ENTITY_MISSING: _ClassVar[ValidationStateCode]
    CLIENT_CREATION_FAILURE: _ClassVar[ValidationStateCode]
    FORMAT_INVALID: _ClassVar[ValidationStateCode]
    INFO_MISSING: _ClassVar[ValidationStateCode]
    INFO_MISMATCH: _ClassVar[ValidationStateCode]

class PlacementStatusType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNKNOWN_PLACEMENT: _ClassVar[PlacementStatusType]
    ALIGNED: _ClassVar[PlacementStatusType]
    NOT_ALIGNED: _ClassVar[PlacementStatusType]

class ClientType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTROLPLANE: _ClassVar[ClientType]
    EXTERNALCLIENT: _ClassVar[ClientType]
    NODE: _ClassVar[ClientType]
    ADMIN: _ClassVar[ClientType]
    BAREMETAL: _ClassVar[ClientType]
    LOADBALANCER: _ClassVar[ClientType]
    HOST: _ClassVar[ClientType]

class AuthenticationType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SELFSIGNED: _ClassVar[AuthenticationType]
    CASIGNED: _ClassVar[AuthenticationType]

class ProviderType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AnyProvider: _ClassVar[ProviderType]
    VirtualMachine: _ClassVar[ProviderType]
    VirtualMachineScaleSet: _ClassVar[ProviderType]
    LoadBalancer: _ClassVar[ProviderType]
    VirtualNetwork: _ClassVar[ProviderType]
    VirtualHardDisk: _ClassVar[ProviderType]
    GalleryImage: _ClassVar[ProviderType]
    VirtualMachineImage: _ClassVar[ProviderType]
    NetworkInterface: _ClassVar[ProviderType]
    Certificate: _ClassVar[ProviderType]
    Key: _ClassVar[ProviderType]
    Secret: _ClassVar[ProviderType]
    KeyVault: _ClassVar[ProviderType]
    Identity: _ClassVar[ProviderType]
    Role: _ClassVar[ProviderType]
    RoleAssignment: _ClassVar[ProviderType]
    Kubernetes: _ClassVar[ProviderType]
    Cluster: _ClassVar[ProviderType]
    ControlPlane: _ClassVar[ProviderType]
    Group: _ClassVar[ProviderType]
    Node: _ClassVar[ProviderType]
    Location: _ClassVar[ProviderType]
    StorageContainer: _ClassVar[ProviderType]
    StorageFile: _ClassVar[ProviderType]
    StorageDirectory: _ClassVar[ProviderType]
    Subscription: _ClassVar[ProviderType]
    VipPool: _ClassVar[ProviderType]
    MacPool: _ClassVar[ProviderType]
    EtcdCluster: _ClassVar[ProviderType]
    EtcdServer: _ClassVar[ProviderType]
    BareMetalMachine: _ClassVar[ProviderType]
    CredentialMonitor: _ClassVar[ProviderType]
    Logging: _ClassVar[ProviderType]
    Recovery: _ClassVar[ProviderType]
    Debug: _ClassVar[ProviderType]
    BareMetalHost: _ClassVar[ProviderType]
    Authentication: _ClassVar[ProviderType]
    HealthMonitor: _ClassVar[ProviderType]
    LogicalNetwork: _ClassVar[ProviderType]
    AvailabilitySet: _ClassVar[ProviderType]
    NetworkSecurityGroup: _ClassVar[ProviderType]
    Zone: _ClassVar[ProviderType]
    PlacementGroup: _ClassVar[ProviderType]
    PublicIPAddress: _ClassVar[ProviderType]

class ProviderAccessOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Unspecified: _ClassVar[ProviderAccessOperation]
    Authentication_Login: _ClassVar[ProviderAccessOperation]
    Certificate_Create: _ClassVar[ProviderAccessOperation]
    Certificate_Update: _ClassVar[ProviderAccessOperation]
    Certificate_Get: _ClassVar[ProviderAccessOperation]
    Certificate_Delete: _ClassVar[ProviderAccessOperation]
    Certificate_Sign: _ClassVar[ProviderAccessOperation]
    Certificate_Renew: _ClassVar[ProviderAccessOperation]
    Identity_Create: _ClassVar[ProviderAccessOperation]
    Identity_Update: _ClassVar[ProviderAccessOperation]
    Identity_Revoke: _ClassVar[ProviderAccessOperation]
    Identity_Rotate: _ClassVar[ProviderAccessOperation]
    IdentityCertificate_Create: _ClassVar[ProviderAccessOperation]
    IdentityCertificate_Update: _ClassVar[ProviderAccessOperation]
    IdentityCertificate_Renew: _ClassVar[ProviderAccessOperation]
    Key_Create: _ClassVar[ProviderAccessOperation]
    Key_Update: _ClassVar[ProviderAccessOperation]
    Key_Encrypt: _ClassVar[ProviderAccessOperation]
    Key_Decrypt: _ClassVar[ProviderAccessOperation]
    Key_WrapKey: _ClassVar[ProviderAccessOperation]
    Key_UnwrapKey: _ClassVar[ProviderAccessOperation]
    Key_Sign: _ClassVar[ProviderAccessOperation]
    Key_Verify: _ClassVar[ProviderAccessOperation]
    Key_Rotate: _ClassVar[ProviderAccessOperation]
    Key_Import: _ClassVar[ProviderAccessOperation]
    Key_Export: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Create: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Update: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Delete: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Validate: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Start: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Stop: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Reset: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Repair_Guest_Agent: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Pause: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Save: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Remove_Iso_Disk: _ClassVar[ProviderAccessOperation]
    VirtualMachine_Stop_Graceful: _ClassVar[ProviderAccessOperation]
    Cluster_Create: _ClassVar[ProviderAccessOperation]
    Cluster_Update: _ClassVar[ProviderAccessOperation]
    Cluster_LoadCluster: _ClassVar[ProviderAccessOperation]
    Cluster_UnloadCluster: _ClassVar[ProviderAccessOperation]
    Cluster_GetCluster: _ClassVar[ProviderAccessOperation]
    Cluster_GetNodes: _ClassVar[ProviderAccessOperation]
    Debug_DebugServer: _ClassVar[ProviderAccessOperation]
    Debug_StackTrace: _ClassVar[ProviderAccessOperation]
    BaremetalHost_Create: _ClassVar[ProviderAccessOperation]
    BaremetalHost_Update: _ClassVar[ProviderAccessOperation]
    BaremetalMachine_Create: _ClassVar[ProviderAccessOperation]
    BaremetalMachine_Update: _ClassVar[ProviderAccessOperation]
    ControlPlane_Create: _ClassVar[ProviderAccessOperation]
    ControlPlane_Update: _ClassVar[ProviderAccessOperation]
    EtcdCluster_Create: _ClassVar[ProviderAccessOperation]
    EtcdCluster_Update: _ClassVar[ProviderAccessOperation]
    EtcdServer_Create: _ClassVar[ProviderAccessOperation]
    EtcdServer_Update: _ClassVar[ProviderAccessOperation]
    GalleryImage_Create: _ClassVar[ProviderAccessOperation]
    GalleryImage_Update: _ClassVar[ProviderAccessOperation]
    Group_Create: _ClassVar[ProviderAccessOperation]
    Group_Update: _ClassVar[ProviderAccessOperation]
    KeyVault_Create: _ClassVar[ProviderAccessOperation]
    KeyVault_Update: _ClassVar[ProviderAccessOperation]
    Kubernetes_Create: _ClassVar[ProviderAccessOperation]
    Kubernetes_Update: _ClassVar[ProviderAccessOperation]
    LoadBalancer_Create: _ClassVar[ProviderAccessOperation]
    LoadBalancer_Update: _ClassVar[ProviderAccessOperation]
    Location_Create: _ClassVar[ProviderAccessOperation]
    Location_Update: _ClassVar[ProviderAccessOperation]
    Macpool_Create: _ClassVar[ProviderAccessOperation]
    Macpool_Update: _ClassVar[ProviderAccessOperation]
    NetworkInterface_Create: _ClassVar[ProviderAccessOperation]
    NetworkInterface_Update: _ClassVar[ProviderAccessOperation]
    Node_Create: _ClassVar[ProviderAccessOperation]
    Node_Update: _ClassVar[ProviderAccessOperation]
    Recovery_Create: _ClassVar[ProviderAccessOperation]
    Recovery_Update: _ClassVar[ProviderAccessOperation]
    Role_Create: _ClassVar[ProviderAccessOperation]
    Role_Update: _ClassVar[ProviderAccessOperation]
    RoleAssignment_Create: _ClassVar[ProviderAccessOperation]
    RoleAssignment_Update: _ClassVar[ProviderAccessOperation]
    Secret_Create: _ClassVar[ProviderAccessOperation]
    Secret_Update: _ClassVar[ProviderAccessOperation]
    StorageContainer_Create: _ClassVar[ProviderAccessOperation]
    StorageContainer_Update: _ClassVar[ProviderAccessOperation]
    Subscription_Create: _ClassVar[ProviderAccessOperation]
    Subscription_Update: _ClassVar[ProviderAccessOperation]
    Validation_Validate: _ClassVar[ProviderAccessOperation]
    VipPool_Create: _ClassVar[ProviderAccessOperation]
    VipPool_Update: _ClassVar[ProviderAccessOperation]
    VirtualHardDisk_Create: _ClassVar[ProviderAccessOperation]
    VirtualHardDisk_Update: _ClassVar[ProviderAccessOperation]
    VirtualHardDisk_Upload: _ClassVar[ProviderAccessOperation]
    VirtualMachineImage_Create: _ClassVar[ProviderAccessOperation]
    VirtualMachineImage_Update: _ClassVar[ProviderAccessOperation]
    VirtualMachineScaleSet_Create: _ClassVar[ProviderAccessOperation]
    VirtualMachineScaleSet_Update: _ClassVar[ProviderAccessOperation]
    VirtualNetwork_Create: _ClassVar[ProviderAccessOperation]
    VirtualNetwork_Update: _ClassVar[ProviderAccessOperation]
    AvailabilitySet_Create: _ClassVar[ProviderAccessOperation]
    AvailabilitySet_Delete: _ClassVar[ProviderAccessOperation]
    NetworkSecurityGroup_Create: _ClassVar[ProviderAccessOperation]
    NetworkSecurityGroup_Update: _ClassVar[ProviderAccessOperation]
    Zone_Create: _ClassVar[ProviderAccessOperation]
    Zone_Delete: _ClassVar[ProviderAccessOperation]
    Zone_Update: _ClassVar[ProviderAccessOperation]
    PlacementGroup_Create: _ClassVar[ProviderAccessOperation]
    PlacementGroup_Delete: _ClassVar[ProviderAccessOperation]
    PublicIPAddress_Create: _ClassVar[ProviderAccessOperation]
    PublicIPAddress_Update: _ClassVar[ProviderAccessOperation]

class ImageSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOCAL_SOURCE: _ClassVar[ImageSource]
    SFS_SOURCE: _ClassVar[ImageSource]
    HTTP_SOURCE: _ClassVar[ImageSource]
    CLONE_SOURCE: _ClassVar[ImageSource]
    AZURESTORAGEBLOB_SOURCE: _ClassVar[ImageSource]

class HyperVGeneration(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HyperVGenerationV2: _ClassVar[HyperVGeneration]
    HyperVGenerationV1: _ClassVar[HyperVGeneration]

class DiskFileFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DiskFileFormatVHDX: _ClassVar[DiskFileFormat]
    DiskFileFormatVHD: _ClassVar[DiskFileFormat]
    DiskFileFormatUNKNOWN: _ClassVar[DiskFileFormat]
    DiskFileFormatVHDSet: _ClassVar[DiskFileFormat]

class CloudInitDataSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NoCloud: _ClassVar[CloudInitDataSource]
    Azure: _ClassVar[CloudInitDataSource]
GET: Operation
POST: Operation
DELETE: Operation
UPDATE: Operation
IMPORT: Operation
EXPORT: Operation
VALIDATE: Operation
HYDRATE: Operation
DISCOVER: Operation
UNKNOWN: ProvisionState
CREATING: ProvisionState
CREATED: ProvisionState
CREATE_FAILED: ProvisionState
DELETING: ProvisionState
DELETE_FAILED: ProvisionState
DELETED: ProvisionState
UPDATING: ProvisionState
UPDATE_FAILED: ProvisionState
UPDATED: ProvisionState
PROVISIONING: ProvisionState
PROVISIONED: ProvisionState
PROVISION_FAILED: ProvisionState
DEPROVISIONING: ProvisionState
DEPROVISIONED: ProvisionState
DEPROVISION_FAILED: ProvisionState
DELETE_PENDING: ProvisionState
IMPORTING: ProvisionState
IMPORTED: ProvisionState
IMPORT_FAILED: ProvisionState
UPLOADING: ProvisionState
UNKNOWN_HA_STATE: HighAvailabilityState
STABLE: HighAvailabilityState
PENDING: HighAvailabilityState
NOTKNOWN: HealthState
OK: HealthState
WARNING: HealthState
CRITICAL: HealthState
MISSING: HealthState
DEGRADED: HealthState
NOTFOUND: HealthState
NOTREADY: HealthState
DEFAULT: Priority
LOW: Priority
MEDIUM: Priority
HIGH: Priority
NODE_UNREACHABLE: ValidationStateCode
ENTITY_MISSING: ValidationStateCode
CLIENT_CREATION_FAILURE: ValidationStateCode
FORMAT_INVALID: ValidationStateCode
INFO_MISSING: ValidationStateCode
INFO_MISMATCH: ValidationStateCode
UNKNOWN_PLACEMENT: PlacementStatusType
ALIGNED: PlacementStatusType
NOT_ALIGNED: PlacementStatusType
CONTROLPLANE: ClientType
EXTERNALCLIENT: ClientType
NODE: ClientType
ADMIN: ClientType
BAREMETAL: ClientType
LOADBALANCER: ClientType
HOST: ClientType
SELFSIGNED: AuthenticationType
CASIGNED: AuthenticationType
AnyProvider: ProviderType
VirtualMachine: ProviderType
VirtualMachineScaleSet: ProviderType
LoadBalancer: ProviderType
VirtualNetwork: ProviderType
VirtualHardDisk: ProviderType
GalleryImage: ProviderType
VirtualMachineImage: ProviderType
NetworkInterface: ProviderType
Certificate: ProviderType
Key: ProviderType
Secret: ProviderType
KeyVault: ProviderType
Identity: ProviderType
Role: ProviderType
RoleAssignment: ProviderType
Kubernetes: ProviderType
Cluster: ProviderType
ControlPlane: ProviderType
Group: ProviderType
Node: ProviderType
Location: ProviderType
StorageContainer: ProviderType
StorageFile: ProviderType
StorageDirectory: ProviderType
Subscription: ProviderType
VipPool: ProviderType
MacPool: ProviderType
EtcdCluster: ProviderType
EtcdServer: ProviderType
BareMetalMachine: ProviderType
CredentialMonitor: ProviderType
Logging: ProviderType
Recovery: ProviderType
Debug: ProviderType
BareMetalHost: ProviderType
Authentication: ProviderType
HealthMonitor: ProviderType
LogicalNetwork: ProviderType
AvailabilitySet: ProviderType
NetworkSecurityGroup: ProviderType
Zone: ProviderType
PlacementGroup: ProviderType
PublicIPAddress: ProviderType
Unspecified: ProviderAccessOperation
Authentication_Login: ProviderAccessOperation
Certificate_Create: ProviderAccessOperation
Certificate_Update: ProviderAccessOperation
Certificate_Get: ProviderAccessOperation
Certificate_Delete: ProviderAccessOperation
Certificate_Sign: ProviderAccessOperation
Certificate_Renew: ProviderAccessOperation
Identity_Create: ProviderAccessOperation
Identity_Update: ProviderAccessOperation
Identity_Revoke: ProviderAccessOperation
Identity_Rotate: ProviderAccessOperation
IdentityCertificate_Create: ProviderAccessOperation
IdentityCertificate_Update: ProviderAccessOperation
IdentityCertificate_Renew: ProviderAccessOperation
Key_Create: ProviderAccessOperation
Key_Update: ProviderAccessOperation
Key_Encrypt: ProviderAccessOperation
Key_Decrypt: ProviderAccessOperation
Key_WrapKey: ProviderAccessOperation
Key_UnwrapKey: ProviderAccessOperation
Key_Sign: ProviderAccessOperation
Key_Verify: ProviderAccessOperation
Key_Rotate: ProviderAccessOperation
Key_Import: ProviderAccessOperation
Key_Export: ProviderAccessOperation
VirtualMachine_Create: ProviderAccessOperation
VirtualMachine_Update: ProviderAccessOperation
VirtualMachine_Delete: ProviderAccessOperation
VirtualMachine_Validate: ProviderAccessOperation
VirtualMachine_Start: ProviderAccessOperation
VirtualMachine_Stop: ProviderAccessOperation
VirtualMachine_Reset: ProviderAccessOperation
VirtualMachine_Repair_Guest_Agent: ProviderAccessOperation
VirtualMachine_Pause: ProviderAccessOperation
VirtualMachine_Save: ProviderAccessOperation
VirtualMachine_Remove_Iso_Disk: ProviderAccessOperation
VirtualMachine_Stop_Graceful: ProviderAccessOperation
Cluster_Create: ProviderAccessOperation
Cluster_Update: ProviderAccessOperation
Cluster_LoadCluster: ProviderAccessOperation
Cluster_UnloadCluster: ProviderAccessOperation
Cluster_GetCluster: ProviderAccessOperation
Cluster_GetNodes: ProviderAccessOperation
Debug_DebugServer: ProviderAccessOperation
Debug_StackTrace: ProviderAccessOperation
BaremetalHost_Create: ProviderAccessOperation
BaremetalHost_Update: ProviderAccessOperation
BaremetalMachine_Create: ProviderAccessOperation
BaremetalMachine_Update: ProviderAccessOperation
ControlPlane_Create: ProviderAccessOperation
ControlPlane_Update: ProviderAccessOperation
EtcdCluster_Create: ProviderAccessOperation
EtcdCluster_Update: ProviderAccessOperation
EtcdServer_Create: ProviderAccessOperation
EtcdServer_Update: ProviderAccessOperation
GalleryImage_Create: ProviderAccessOperation
GalleryImage_Update: ProviderAccessOperation
Group_Create: ProviderAccessOperation
Group_Update: ProviderAccessOperation
KeyVault_Create: ProviderAccessOperation
KeyVault_Update: ProviderAccessOperation
Kubernetes_Create: ProviderAccessOperation
Kubernetes_Update: ProviderAccessOperation
LoadBalancer_Create: ProviderAccessOperation
LoadBalancer_Update: ProviderAccessOperation
Location_Create: ProviderAccessOperation
Location_Update: ProviderAccessOperation
Macpool_Create: ProviderAccessOperation
Macpool_Update: ProviderAccessOperation
NetworkInterface_Create: ProviderAccessOperation
NetworkInterface_Update: ProviderAccessOperation
Node_Create: ProviderAccessOperation
Node_Update: ProviderAccessOperation
Recovery_Create: ProviderAccessOperation
Recovery_Update: ProviderAccessOperation
Role_Create: ProviderAccessOperation
Role_Update: ProviderAccessOperation
RoleAssignment_Create: ProviderAccessOperation
RoleAssignment_Update: ProviderAccessOperation
Secret_Create: ProviderAccessOperation
Secret_Update: ProviderAccessOperation
StorageContainer_Create: ProviderAccessOperation
StorageContainer_Update: ProviderAccessOperation
Subscription_Create: ProviderAccessOperation
Subscription_Update: ProviderAccessOperation
Validation_Validate: ProviderAccessOperation
VipPool_Create: ProviderAccessOperation
VipPool_Update: ProviderAccessOperation
VirtualHardDisk_Create: ProviderAccessOperation
VirtualHardDisk_Update: ProviderAccessOperation
VirtualHardDisk_Upload: ProviderAccessOperation
VirtualMachineImage_Create: ProviderAccessOperation
VirtualMachineImage_Update: ProviderAccessOperation
VirtualMachineScaleSet_Create: ProviderAccessOperation
VirtualMachineScaleSet_Update: ProviderAccessOperation
VirtualNetwork_Create: ProviderAccessOperation
VirtualNetwork_Update: ProviderAccessOperation
AvailabilitySet_Create: ProviderAccessOperation
AvailabilitySet_Delete: ProviderAccessOperation
NetworkSecurityGroup_Create: ProviderAccessOperation
NetworkSecurityGroup_Update: ProviderAccessOperation
Zone_Create: ProviderAccessOperation
Zone_Delete: ProviderAccessOperation
Zone_Update: ProviderAccessOperation
PlacementGroup_Create: ProviderAccessOperation
PlacementGroup_Delete: ProviderAccessOperation
PublicIPAddress_Create: ProviderAccessOperation
PublicIPAddress_Update: ProviderAccessOperation
LOCAL_SOURCE: ImageSource
SFS_SOURCE: ImageSource
HTTP_SOURCE: ImageSource
CLONE_SOURCE: ImageSource
AZURESTORAGEBLOB_SOURCE: ImageSource
HyperVGenerationV2: HyperVGeneration
HyperVGenerationV1: HyperVGeneration
DiskFileFormatVHDX: DiskFileFormat
DiskFileFormatVHD: DiskFileFormat
DiskFileFormatUNKNOWN: DiskFileFormat
DiskFileFormatVHDSet: DiskFileFormat
NoCloud: CloudInitDataSource
Azure: CloudInitDataSource

class Error(_message.Message):
    __slots__ = ("Message", "Code", "Parameters")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    Message: str
    Code: int
    Parameters: str
    def __init__(self, Message: _Optional[str] = ..., Code: _Optional[int] = ..., Parameters: _Optional[str] = ...) -> None: ...

class ProvisionStatus(_message.Message):
    __slots__ = ("currentState", "previousState")
    CURRENTSTATE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUSSTATE_FIELD_NUMBER: _ClassVar[int]
    currentState: ProvisionState
    previousState: ProvisionState
    def __init__(self, currentState: _Optional[_Union[ProvisionState, str]] = ..., previousState: _Optional[_Union[ProvisionState, str]] = ...) -> None: ...

class DownloadStatus(_message.Message):
    __slots__ = ("progressPercentage", "downloadSizeInBytes", "fileSizeInBytes")
    PROGRESSPERCENTAGE_FIELD_NUMBER: _ClassVar[int]
    DOWNLOADSIZEINBYTES_FIELD_NUMBER: _ClassVar[int]
    FILESIZEINBYTES_FIELD_NUMBER: _ClassVar[int]
    progressPercentage: int
    downloadSizeInBytes: int
    fileSizeInBytes: int
    def __init__(self, progressPercentage: _Optional[int] = ..., downloadSizeInBytes: _Optional[int] = ..., fileSizeInBytes: _Optional[int] = ...) -> None: ...

class Health(_message.Message):
    __slots__ = ("currentState", "previousState")
    CURRENTSTATE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUSSTATE_FIELD_NUMBER: _ClassVar[int]
    currentState: HealthState
    previousState: HealthState
    def __init__(self, currentState: _Optional[_Union[HealthState, str]] = ..., previousState: _Optional[_Union[HealthState, str]] = ...) -> None: ...

class ValidationState(_message.Message):
    __slots__ = ("code", "message", "recommendation")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDATION_FIELD_NUMBER: _ClassVar[int]
    code: ValidationStateCode
    message: str
    recommendation: str
    def __init__(self, code: _Optional[_Union[ValidationStateCode, str]] = ..., message: _Optional[str] = ..., recommendation: _Optional[str] = ...) -> None: ...

class ValidationStatus(_message.Message):
    __slots__ = ("validationState",)
    VALIDATIONSTATE_FIELD_NUMBER: _ClassVar[int]
    validationState: _containers.RepeatedCompositeFieldContainer[ValidationState]
    def __init__(self, validationState: _Optional[_Iterable[_Union[ValidationState, _Mapping]]] = ...) -> None: ...

class Version(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: str
    def __init__(self, number: _Optional[str] = ...) -> None: ...

class PlacementStatus(_message.Message):
    __slots__ = ("Status", "Message")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    Status: PlacementStatusType
    Message: str
    def __init__(self, Status: _Optional[_Union[PlacementStatusType, str]] = ..., Message: _Optional[str] = ...) -> None: ...

class UploadStatus(_message.Message):
    __slots__ = ("progressPercentage", "uploadSizeInBytes", "fileSizeInBytes", "lastUploadError")
    PROGRESSPERCENTAGE_FIELD_NUMBER: _ClassVar[int]
    UPLOADSIZEINBYTES_FIELD_NUMBER: _ClassVar[int]
    FILESIZEINBYTES_FIELD_NUMBER: _ClassVar[int]
    LASTUPLOADERROR_FIELD_NUMBER: _ClassVar[int]
    progressPercentage: int
    uploadSizeInBytes: int
    fileSizeInBytes: int
    lastUploadError: Error
    def __init__(self, progressPercentage: _Optional[int] = ..., uploadSizeInBytes: _Optional[int] = ..., fileSizeInBytes: _Optional[int] = ..., lastUploadError: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("health", "provisioningStatus", "lastError", "version", "downloadStatus", "validationStatus", "placementStatus", "uploadStatus")
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    PROVISIONINGSTATUS_FIELD_NUMBER: _ClassVar[int]
    LASTERROR_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DOWNLOADSTATUS_FIELD_NUMBER: _ClassVar[int]
    VALIDATIONSTATUS_FIELD_NUMBER: _ClassVar[int]
    PLACEMENTSTATUS_FIELD_NUMBER: _ClassVar[int]
    UPLOADSTATUS_FIELD_NUMBER: _ClassVar[int]
    health: Health
    provisioningStatus: ProvisionStatus
    lastError: Error
    version: Version
    downloadStatus: DownloadStatus
    validationStatus: ValidationStatus
    placementStatus: PlacementStatus
    uploadStatus: UploadStatus
    def __init__(self, health: _Optional[_Union[Health, _Mapping]] = ..., provisioningStatus: _Optional[_Union[ProvisionStatus, _Mapping]] = ..., lastError: _Optional[_Union[Error, _Mapping]] = ..., version: _Optional[_Union[Version, _Mapping]] = ..., downloadStatus: _Optional[_Union[DownloadStatus, _Mapping]] = ..., validationStatus: _Optional[_Union[ValidationStatus, _Mapping]] = ..., placementStatus: _Optional[_Union[PlacementStatus, _Mapping]] = ..., uploadStatus: _Optional[_Union[UploadStatus, _Mapping]] = ...) -> None: ...

class Entity(_message.Message):
    __slots__ = ("IsPlaceholder",)
    ISPLACEHOLDER_FIELD_NUMBER: _ClassVar[int]
    IsPlaceholder: bool
    def __init__(self, IsPlaceholder: _Optional[bool] = ...) -> None: ...

class Tag(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: str
    def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class Tags(_message.Message):
    __slots__ = ("tags",)
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedCompositeFieldContainer[Tag]
    def __init__(self, tags: _Optional[_Iterable[_Union[Tag, _Mapping]]] = ...) -> None: ...

class ZoneReference(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ZoneConfiguration(_message.Message):
    __slots__ = ("zones", "strictPlacement")
    ZONES_FIELD_NUMBER: _ClassVar[int]
    STRICTPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    zones: _containers.RepeatedCompositeFieldContainer[ZoneReference]
    strictPlacement: bool
    def __init__(self, zones: _Optional[_Iterable[_Union[ZoneReference, _Mapping]]] = ..., strictPlacement: _Optional[bool] = ...) -> None: ...

class ApiVersion(_message.Message):
    __slots__ = ("major", "minor")
    MAJOR_FIELD_NUMBER: _ClassVar[int]
    MINOR_FIELD_NUMBER: _ClassVar[int]
    major: int
    minor: int
    def __init__(self, major: _Optional[int] = ..., minor: _Optional[int] = ...) -> None: ...
