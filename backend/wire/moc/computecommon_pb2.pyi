from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProcessorType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Intel: _ClassVar[ProcessorType]
    Intel64: _ClassVar[ProcessorType]
    AMD: _ClassVar[ProcessorType]
    AMD64: _ClassVar[ProcessorType]
    ARM: _ClassVar[ProcessorType]
    ARM64: _ClassVar[ProcessorType]

class OperatingSystemType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WINDOWS: _ClassVar[OperatingSystemType]
    LINUX: _ClassVar[OperatingSystemType]

class AssignmentType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GpuDDA: _ClassVar[AssignmentType]
    GpuP: _ClassVar[AssignmentType]
    GpuPV: _ClassVar[AssignmentType]
    GpuDefault: _ClassVar[AssignmentType]

class ConfidentialVMHardwareType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HardwareTypeNone: _ClassVar[ConfidentialVMHardwareType]
    HardwareTypeSEVSNP: _ClassVar[ConfidentialVMHardwareType]
    HardwareTypeTDX: _ClassVar[ConfidentialVMHardwareType]

class Architecture(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    x86: _ClassVar[Architecture]
    MIPS: _ClassVar[Architecture]
    Alpha: _ClassVar[Architecture]
    PowerPC: _ClassVar[Architecture]
    ARM_Architecture: _ClassVar[Architecture]
    ia64: _ClassVar[Architecture]
    x64: _ClassVar[Architecture]
    ARM64_Architecture: _ClassVar[Architecture]
Intel: ProcessorType
Intel64: ProcessorType
AMD: ProcessorType
AMD64: ProcessorType
ARM: ProcessorType
ARM64: ProcessorType
WINDOWS: OperatingSystemType
LINUX: OperatingSystemType
GpuDDA: AssignmentType
GpuP: AssignmentType
GpuPV: AssignmentType
GpuDefault: AssignmentType
HardwareTypeNone: ConfidentialVMHardwareType
HardwareTypeSEVSNP: ConfidentialVMHardwareType
HardwareTypeTDX: ConfidentialVMHardwareType
x86: Architecture
MIPS: Architecture
Alpha: Architecture
PowerPC: Architecture
ARM_Architecture: Architecture
ia64: Architecture
x64: Architecture
ARM64_Architecture: Architecture

class VirtualMachineCapabilities(_message.Message):
    __slots__ = ("IsolatedVmCapable", "ConfidentialVMHardwareCapability")
    ISOLATEDVMCAPABLE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENTIALVMHARDWARECAPABILITY_FIELD_NUMBER: _ClassVar[int]
    IsolatedVmCapable: bool
    ConfidentialVMHardwareCapability: ConfidentialVMHardwareType
    def __init__(self, IsolatedVmCapable: _Optional[bool] = ..., ConfidentialVMHardwareCapability: _Optional[_Union[ConfidentialVMHardwareType, str]] = ...) -> None: ...
