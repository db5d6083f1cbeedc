from backend.wire.moc import common_pb2 as _common_pb2
from backend.wire.moc import computecommon_pb2 as _computecommon_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OsRegistrationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    notRegistered: _ClassVar[OsRegistrationState]
    registered: _ClassVar[OsRegistrationState]
notRegistered: OsRegistrationState
registered: OsRegistrationState

class OsRegistrationStatus(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: OsRegistrationState
    def __init__(self, status: _Optional[_Union[OsRegistrationState, str]] = ...) -> None: ...

class Processor(_message.Message):
    __slots__ = ("name", "cores", "speed", "type", "virtualization", "logicalprocessors", "hypervisorpresent", "manufacturer", "architecture")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CORES_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VIRTUALIZATION_FIELD_NUMBER: _ClassVar[int]
    LOGICALPROCESSORS_FIELD_NUMBER: _ClassVar[int]
    HYPERVISORPRESENT_FIELD_NUMBER: _ClassVar[int]
    MANUFACTURER_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    name: str
    cores: int
    speed: str
    type: _computecommon_pb2.ProcessorType
    virtualization: bool
    logicalprocessors: int
    hypervisorpresent: bool
    manufacturer: str
    architecture: _computecommon_pb2.Architecture
    def __init__(self, name: _Optional[str] = ..., cores: _Optional[int] = ..., speed: _Optional[str] = ..., type: _Optional[_Union[_computecommon_pb2.ProcessorType, str]] = ..., virtualization: _Optional[bool] = ..., logicalprocessors: _Optional[int] = ..., hypervisorpresent: _Optional[bool] = ..., manufacturer: _Optional[str] = ..., architecture: _Optional[_Union[_computecommon_pb2.Architecture, str]] = ...) -> None: ...

class PhysicalMemory(_message.Message):
    __slots__ = ("sizeBytes",)
    SIZEBYTES_FIELD_NUMBER: _ClassVar[int]
    sizeBytes: int
    def __init__(self, sizeBytes: _Optional[int] = ...) -> None: ...

class HostGPU(_message.Message):
    __slots__ = ("id", "name", "partitionSizeMB", "assignment")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARTITIONSIZEMB_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    partitionSizeMB: int
    assignment: _computecommon_pb2.AssignmentType
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., partitionSizeMB: _Optional[int] = ..., assignment: _Optional[_Union[_computecommon_pb2.AssignmentType, str]] = ...) -> None: ...

class OperatingSystem(_message.Message):
    __slots__ = ("operatingsystemsku", "ostype", "osversion", "osRegistrationStatus")
    OPERATINGSYSTEMSKU_FIELD_NUMBER: _ClassVar[int]
    OSTYPE_FIELD_NUMBER: _ClassVar[int]
    OSVERSION_FIELD_NUMBER: _ClassVar[int]
    OSREGISTRATIONSTATUS_FIELD_NUMBER: _ClassVar[int]
    operatingsystemsku: int
    ostype: _computecommon_pb2.OperatingSystemType
    osversion: str
    osRegistrationStatus: OsRegistrationStatus
    def __init__(self, operatingsystemsku: _Optional[int] = ..., ostype: _Optional[_Union[_computecommon_pb2.OperatingSystemType, str]] = ..., osversion: _Optional[str] = ..., osRegistrationStatus: _Optional[_Union[OsRegistrationStatus, _Mapping]] = ...) -> None: ...

class NodeInfo(_message.Message):
    __slots__ = ("name", "id", "capability", "availability", "ostype", "status", "uptime", "osInfo", "vmProviderReady")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_FIELD_NUMBER: _ClassVar[int]
    OSTYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    UPTIME_FIELD_NUMBER: _ClassVar[int]
    OSINFO_FIELD_NUMBER: _ClassVar[int]
    VMPROVIDERREADY_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    capability: Resources
    availability: Resources
    ostype: _computecommon_pb2.OperatingSystemType
    status: _common_pb2.Status
    uptime: int
    osInfo: OperatingSystem
    vmProviderReady: _wrappers_pb2.BoolValue
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., capability: _Optional[_Union[Resources, _Mapping]] = ..., availability: _Optional[_Union[Resources, _Mapping]] = ..., ostype: _Optional[_Union[_computecommon_pb2.OperatingSystemType, str]] = ..., status: _Optional[_Union[_common_pb2.Status, _Mapping]] = ..., uptime: _Optional[int] = ..., osInfo: _Optional[_Union[OperatingSystem, _Mapping]] = ..., vmProviderReady: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ...) -> None: ...

class Resources(_message.Message):
    __slots__ = ("processor", "memory", "vmCapabilities", "hostGPUs")
    PROCESSOR_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    VMCAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    HOSTGPUS_FIELD_NUMBER: _ClassVar[int]
    processor: Processor
    memory: PhysicalMemory
    vmCapabilities: _computecommon_pb2.VirtualMachineCapabilities
    hostGPUs: _containers.RepeatedCompositeFieldContainer[HostGPU]
    def __init__(self, processor: _Optional[_Union[Processor, _Mapping]] = ..., memory: _Optional[_Union[PhysicalMemory, _Mapping]] = ..., vmCapabilities: _Optional[_Union[_computecommon_pb2.VirtualMachineCapabilities, _Mapping]] = ..., hostGPUs: _Optional[_Iterable[_Union[HostGPU, _Mapping]]] = ...) -> None: ...
