# SPDX-License-Identifier: MIT
"""One malicious or corrupt file, and the error message that it must cause."""
import dataclasses
import typing


@dataclasses.dataclass
class Case:
    row: int    # of the table of hostile inputs that the tests follow; see README.md
    name: str   # also the file's name
    data: typing.Union[bytes, typing.Callable]  # the file's bytes, or a function f(path) that writes them
    expects: tuple          # texts that the message must contain, in this order
    args: tuple = ()        # options of vgg-infer
    beside: dict = dataclasses.field(default_factory=dict)  # more files: name -> bytes
    code: int = 3           # exit code; 0: the file is valid, and expects is a warning's; 1: the error shows only with an image
    is_image: bool = False  # not the checkpoint, but the image that a good one gets
