"""What tracing, verifying and comparing find."""

from __future__ import annotations

from kpixl.problems.entry import E, Entry, I, W

ENTRIES: dict[str, Entry] = {
    "project-unknown": Entry(
        E,
        "没有编号或名称为“{name}”的项目。",
        "请写项目编号，或名称中别的项目没有的一部分。",
        "No project has the id or name {name}.",
        "Type the id, or a part of the name that no other project has.",
    ),
    "project-ambiguous": Entry(
        E,
        "名称含“{name}”的项目不止一个：{found}。",
        "请写项目编号。",
        "More than one project has {name} in its name: {found}.",
        "Type the id.",
    ),
    "portfolio-which": Entry(
        E,
        "没有指明是哪个 YAML：当前文件夹中有 {count} 个带来源文件的 YAML。",
        "请用 --portfolio 指定，例如 --portfolio 2026.yaml。",
        "It is not clear which YAML file is meant: {count} in this folder have a sources file.",
        "Name it with --portfolio, for example --portfolio 2026.yaml.",
    ),
    "sources-missing": Entry(
        E,
        "{portfolio} 旁边没有可用的来源文件 {path}，不知道各项数据出自哪里。",
        "请用 kpixl consolidate 重新生成；来源文件要与 YAML 放在一起。",
        "There is no usable sources file {path} beside {portfolio}: where its values came from is not known.",
        "Run kpixl consolidate again, and keep the sources file beside the YAML file.",
    ),
    "portfolio-edited": Entry(
        W,
        "{path} 在汇总之后被修改过，来源文件说的是修改之前的内容。",
        "请用 kpixl verify 查看哪些数据与收回的文件不同。",
        "{path} was edited after it was consolidated; the sources are those of the values before.",
        "Run kpixl verify to see which values differ from the returned files.",
    ),
    "source-changed": Entry(
        E,
        "文件“{file}”在汇总之后变了。",
        "如果这是更正后的文件，请重新运行 kpixl consolidate；否则请恢复原来的文件。",
        "The file {file} has changed since it was consolidated.",
        "If this is a corrected file, run kpixl consolidate again; if not, restore the old one.",
    ),
    "source-renamed": Entry(
        I,
        "文件“{file}”现在叫“{other}”，内容未变。",
        "",
        "The file {file} is now called {other}; its content is the same.",
        "",
    ),
    "source-gone": Entry(
        E,
        "找不到文件“{file}”，YAML 中有数据出自它。",
        "请把文件放回原处，或用 kpixl verify YAML 文件夹 指明文件在哪里。",
        "The file {file} is not there; values of the YAML file came from it.",
        "Put it back, or name the folder it is in: kpixl verify YAML FOLDER.",
    ),
    "project-without-source": Entry(
        E,
        "项目 {id} 没有记录来源。",
        "如果是手工加进 YAML 的，请让单位补交文件；否则请重新运行 kpixl consolidate。",
        "No source is recorded for project {id}.",
        "If it was added by hand, ask its unit for a file; if not, run kpixl consolidate again.",
    ),
    "project-not-in-files": Entry(
        E,
        "收回的文件中没有项目 {id}，YAML 中有。",
        "请找回这个项目的文件，或从 YAML 中删去。",
        "Project {id} is in the YAML file, but in none of the returned files.",
        "Find its file, or remove it from the YAML file.",
    ),
    "project-not-in-portfolio": Entry(
        E,
        "收回的文件中有项目 {id}，YAML 中没有。",
        "请重新运行 kpixl consolidate。",
        "Project {id} is in a returned file, but not in the YAML file.",
        "Run kpixl consolidate again.",
    ),
    "value-not-in-file": Entry(
        E,
        "项目 {id}：YAML 中为“{portfolio}”，文件中为“{file}”。",
        "请确认哪个正确；以文件为准请重新运行 kpixl consolidate。",
        "Project {id}: the YAML file has “{portfolio}”, the file “{file}”.",
        "Check which is right; where it is the file, run kpixl consolidate again.",
    ),
    "cell-unaccounted": Entry(
        E,
        "填写的内容“{text}”既不在汇总数据中，也没有在任何问题中提到。",
        "这是 kpixl 的缺陷，请核对此单元格，并把文件样本反馈给 kpixl 的维护者。",
        "What is filled in here, “{text}”, is neither in the portfolio nor in any problem.",
        "This is a fault of kpixl: check the cell by hand, and send the file to those who maintain kpixl.",
    ),
    "since-unreadable": Entry(
        E,
        "{path} 不是以前的检查结果。",
        "请给出以前 kpixl check 的 --json 输出、--sarif 文件，或汇总数据（YAML）。",
        "{path} is no result of an earlier check.",
        "Name what kpixl check --json printed or --sarif wrote, or a portfolio (YAML).",
    ),
    "nothing-read": Entry(
        E,
        "在 {path} 中没有读到任何项目。",
        "请用 kpixl check {path} 查看原因。",
        "Not one project was read in {path}.",
        "Run kpixl check {path} to see why.",
    ),
    "not-submissions": Entry(
        E,
        "{path} 是汇总数据，不是收回的文件，看不出谁交回了什么。",
        "请指定存放收回文件的文件夹，项目名册写在 --roster 之后。",
        "{path} is a portfolio, not what was returned; it does not say who returned what.",
        "Name the folder of returned files, and give the roster with --roster.",
    ),
}
