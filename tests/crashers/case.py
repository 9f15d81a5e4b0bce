"""One hostile file, and what must be said of it."""
import dataclasses
import typing


@dataclasses.dataclass
class Case:
    row: int    # of the table of hostile inputs that the tests follow; see README.md
    name: str   # also the file's name
    data: typing.Union[bytes, typing.Callable]  # the file's bytes, or what makes it: f(path)
    says: tuple             # texts that the message has to have, in this order
    args: tuple = ()        # options of vgg-infer
    beside: dict = dataclasses.field(default_factory=dict)  # more files: name -> bytes
    code: int = 3           # exit code; 0: the file is good, 1: it is found out with the picture
