from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BundleChainRequest(_message.Message):
    __slots__ = ("since_epoch",)
    SINCE_EPOCH_FIELD_NUMBER: _ClassVar[int]
    since_epoch: int
    def __init__(self, since_epoch: _Optional[int] = ...) -> None: ...

class BundleChain(_message.Message):
    __slots__ = ("links",)
    LINKS_FIELD_NUMBER: _ClassVar[int]
    links: _containers.RepeatedCompositeFieldContainer[BundleLink]
    def __init__(self, links: _Optional[_Iterable[_Union[BundleLink, _Mapping]]] = ...) -> None: ...

class BundleLink(_message.Message):
    __slots__ = ("statement", "signature", "previous_signature", "bundle_pem")
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_PEM_FIELD_NUMBER: _ClassVar[int]
    statement: str
    signature: bytes
    previous_signature: bytes
    bundle_pem: str
    def __init__(self, statement: _Optional[str] = ..., signature: _Optional[bytes] = ..., previous_signature: _Optional[bytes] = ..., bundle_pem: _Optional[str] = ...) -> None: ...
