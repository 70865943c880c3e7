"""Codes of the collection folder, and of a roster that changed since it was sent."""

from __future__ import annotations

from kpixl.problems.entry import E, Entry, W

ENTRIES: dict[str, Entry] = {
    "no-collection-folder": Entry(
        E,
        "{path} 不是收表文件夹：其中的 kpixl.yaml 没有 form，或没有 kpixl.yaml。",
        "请在收表文件夹中运行，或用 -C 指明；新建用 kpixl init。",
        "{path} is no collection folder: it has no kpixl.yaml, or one without form.",
        "Run the command in a collection folder, or name one with -C; kpixl init makes one.",
    ),
    "path-outside": Entry(
        E,
        "第 {line} 行：“{key}”的 {path} 指向文件夹之外的 {target}。",
        "请改为本文件夹之内的路径，并去掉指向外面的链接。",
        "Line {line}: {key} {path} leads out of the folder, to {target}.",
        "Name a path inside of the folder, and remove the link that leads out.",
    ),
    "folder-differs": Entry(
        E,
        "第 {line} 行：“{key}”是 {mine}，而 {roster} 中是 {theirs}。",
        "请把两处改为一致。",
        "Line {line}: {key} is {mine}, but {theirs} in {roster}.",
        "Make both the same.",
    ),
    "init-exists": Entry(
        E,
        "{path} 中已有 {name}，没有写入任何文件。",
        "请换一个文件夹。项目清单有变化时，在其中运行 kpixl roster 项目清单.xlsx。",
        "{path} has a {name} already; nothing was written.",
        "Choose another folder. When the list of projects has changed, run kpixl roster projects.xlsx in this one.",
    ),
    "init-no-folder": Entry(
        E,
        "{path} 是文件，不能作为收表文件夹。",
        "请换一个名称，例如 2026。",
        "{path} is a file, not a folder.",
        "Choose another name, such as 2026.",
    ),
    "roster-new": Entry(
        W,
        "项目 {id}“{name}”是填报工作簿发出之后加入项目名册的，还没有发出它的表。",
        "请运行 kpixl template，把新的工作簿发给填报单位。",
        "Project {id} {name} was put into the roster after the workbooks went out; it has not been sent yet.",
        "Run kpixl template and send the new workbook.",
    ),
    "roster-removed": Entry(
        W,
        "项目 {id}“{name}”已经发出，现在的项目名册中没有。",
        "不再需要的，请告知填报单位；误删的，请加回项目名册。",
        "Project {id} {name} was sent out and is no longer in the roster.",
        "If it was dropped, tell the unit; if not, put it back into the roster.",
    ),
    "roster-changed": Entry(
        W,
        "项目 {id}“{name}”发出之后，项目名册有改动：{changes}。收回的内容仍与发出时对照合并。",
        "如收回的表应改用新的内容，请告知填报单位，或用 kpixl decide 决定。",
        "The roster of project {id} {name} has changed since it was sent: {changes}. Returns are still merged with "
        "what was sent.",
        "Where the new values should count, tell the unit, or decide with kpixl decide.",
    ),
}
