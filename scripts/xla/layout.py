"""Writes a C++ file that compares every struct of Fluxion's PJRT header, field by field, with XLA's own; it compiles or it does not.

usage: layout.py HEADER > layout.cc
"""

import re
import sys

HEAD = """#include <cstddef>
#include <cstdint>

#include "xla/pjrt/c/pjrt_c_api.h"

namespace ours {
#include "pjrt.h"
}

#define SAME_FIELD(type, field)                                          \\
  static_assert(offsetof(ours::type, field) == offsetof(::type, field)); \\
  static_assert(sizeof(ours::type::field) == sizeof(::type::field));
#define SAME_SIZE(type) static_assert(sizeof(ours::type) == sizeof(::type));
#define SAME_VALUE(name) static_assert(static_cast<int>(ours::name) == static_cast<int>(::name));

static_assert(ours::FLUXION_PJRT_MAJOR == PJRT_API_MAJOR);
static_assert(ours::FLUXION_PJRT_MINOR == PJRT_API_MINOR);
"""


def fields(body):
    """The names declared in a struct: the last word of each line, or what is called in a function pointer's."""
    for line in body.splitlines():
        line = line.strip()
        if line and not line.startswith(("union", "}")):
            yield re.fullmatch(r".*?\(\*(?:const )?(\w+)\)\(.*\);|.*?(\w+);", line).group(1, 2)


def main():
    header = re.sub(r"//.*", "", open(sys.argv[1], encoding="utf-8").read())
    structs = re.findall(r"typedef struct (\w+) \{\n(.*?)\n\} \1;", header, re.S)
    enums = re.findall(r"typedef enum \{(.*?)\} \w+;", header, re.S)
    # A struct in a form that the pattern above does not see must not go unchecked.
    if len(structs) != header.count("typedef struct") - len(re.findall(r"typedef struct \w+ \w+;", header)):
        sys.exit("layout.py: the header has structs in a form that is not understood; write them as `typedef struct Name {…} Name;`.")
    print(HEAD)
    for name, body in structs:
        for a, b in fields(body):
            print(f"SAME_FIELD({name}, {a or b})")
        print(f"SAME_SIZE({name})")
    for body in enums:
        for value in re.findall(r"\bPJRT_\w+", body):
            print(f"SAME_VALUE({value})")


main()
