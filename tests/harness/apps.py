# SPDX-License-Identifier: GPL-2.0-or-later
"""apps - applications that several tests load and no user would."""

# Both tables have the number of their version; a packet that meets tables of two versions is dropped as "mixed".
PAIR = """app: pair
parameters: {v: 0}
variables: [mark]
tables:
  - name: one
    rules:
      - {name: mark, do: mark = v, action: goto(two)}
  - name: two
    rules:
      - {name: mixed, when: mark != v, action: drop}
      - {name: same, action: pass}
"""
