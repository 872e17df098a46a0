/* The style and the script of a profile's page: dark where the reader's system
 * is, tables that sort by a click, and a search that hides what has no such
 * name or alert.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile_html.h"

static const char *const style[] = {
    ":root{color-scheme:light dark;--ink:#1f2328;--dim:#5f6368;--back:#fff;"
    "--card:#f6f7f9;--line:#d8dade;--bar:#3b7dbd;--pos:#1f6fb5;--neg:#b3541e;"
    "--bad:#a40000;--warn:#8a5a00}",
    "@media(prefers-color-scheme:dark){:root{--ink:#dfe1e5;--dim:#9aa0a6;"
    "--back:#141517;--card:#1d1f22;--line:#34373b;--bar:#6ea8dc;--pos:#63aae8;"
    "--neg:#e0935f;--bad:#ff8a80;--warn:#e6b450}}",
    "*{box-sizing:border-box}",
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);"
    "background:var(--back);max-width:78rem;margin:0 auto;padding:1rem}",
    "h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 "
    ".5rem}h3{font-size:1rem;margin:0}",
    "header p,.dim{color:var(--dim);margin:.2rem 0}",
    "nav{position:sticky;top:0;background:var(--back);padding:.5rem 0;"
    "border-bottom:1px solid var(--line);display:flex;gap:1rem;"
    "flex-wrap:wrap;align-items:center;z-index:1}",
    "nav a,a{color:var(--pos);text-decoration:none}",
    "input,select{font:inherit;color:inherit;background:var(--card);"
    "border:1px solid var(--line);border-radius:4px;padding:.25rem .5rem}",
    "input{min-width:16rem}",
    ".scroll{overflow-x:auto}",
    "table{border-collapse:collapse;font-size:.87rem}",
    "th,td{padding:.22rem .6rem;border-bottom:1px solid var(--line);"
    "text-align:left;white-space:nowrap}",
    "th{color:var(--dim);font-weight:600}th[data-sort]{cursor:pointer}",
    "th[aria-sort=ascending]::after{content:' \\2191'}"
    "th[aria-sort=descending]::after{content:' \\2193'}",
    ".n{text-align:right;font-variant-numeric:tabular-nums}",
    "ul.alerts{list-style:none;padding:0;margin:0}",
    "ul.alerts li{padding:.15rem 0;display:flex;gap:.6rem;flex-wrap:wrap}",
    ".kind{font-size:.75rem;letter-spacing:.02em;border:1px solid;"
    "border-radius:4px;padding:0 .35rem;align-self:center;white-space:nowrap}",
    ".bad{color:var(--bad)}.warn{color:var(--warn)}.note{color:var(--dim)}",
    "section.column{background:var(--card);border:1px solid var(--line);"
    "border-radius:6px;padding:.8rem 1rem;margin:.8rem 0}",
    ".parts{display:flex;align-items:flex-start;gap:2rem;flex-wrap:wrap;margin-top:.6rem}",
    ".parts>*{flex:0 1 auto;min-width:0;max-width:100%}",
    ".sample td{max-width:18rem;overflow:hidden;text-overflow:ellipsis}",
    ".parts td{overflow:hidden;text-overflow:ellipsis;max-width:22rem}",
    "svg{display:block;max-width:100%;height:auto;font:11px system-ui,"
    "sans-serif}svg text{fill:var(--dim)}",
    "svg.spark{width:6rem;max-width:none;height:1.25rem}",
    ".alerts .kind{min-width:11.5rem;text-align:center}",
    ".tall{max-height:24rem;overflow:auto}",
    ".bar{fill:var(--bar)}.pos{fill:var(--pos)}.neg{fill:var(--neg)}",
    ".hole{fill:var(--neg)}.frame{fill:none;stroke:var(--line)}",
    ".meter{display:inline-block;height:.7em;background:var(--bar);"
    "border-radius:2px;vertical-align:baseline}",
    "[hidden]{display:none!important}",
    "@media print{nav{display:none}section.column{break-inside:avoid}}"};

static const char *const script[] = {
    "'use strict';",
    "const q=document.getElementById('q'),found=document.getElementById("
    "'found');",
    "function search(){const w=q.value.trim().toLowerCase();let n=0;",
    "for(const e of document.querySelectorAll('[data-name]')){",
    "const hit=e.dataset.name.includes(w);e.hidden=!hit;",
    "if(hit&&e.matches('section.column'))n++;}",
    "found.textContent=w?n+(n===1?' column':' columns'):'';}",
    "q.addEventListener('input',search);",
    "function value(row,i){const c=row.cells[i];return c.dataset.v===undefined?"
    "c.textContent:c.dataset.v;}",
    "for(const th of document.querySelectorAll('th[data-sort]'))"
    "th.addEventListener('click',()=>{",
    "const body=th.closest('table').tBodies[0],i=th.cellIndex;",
    "const up=th.getAttribute('aria-sort')!=='ascending',s=up?1:-1;",
    "for(const o of th.parentNode.cells)o.removeAttribute('aria-sort');",
    "th.setAttribute('aria-sort',up?'ascending':'descending');",
    "const num=th.dataset.sort==='n';",
    "const rows=[...body.rows].sort((a,b)=>{const x=value(a,i),y=value(b,i);",
    "if(!num)return s*x.localeCompare(y);if(x===''||y==='')"
    "return(x==='')-(y==='');return s*(x-y);});",
    "body.append(...rows);});",
    "const pick=document.getElementById('measure');",
    "function show(){for(const e of document.querySelectorAll('[data-measure]"
    "'))e.hidden=e.dataset.measure!==pick.value;}",
    "if(pick){pick.addEventListener('change',show);show();}",
    "function fromHash(){const m=/^#q=(.*)$/.exec(location.hash);"
    "if(m){q.value=decodeURIComponent(m[1]);search();}}",
    "addEventListener('hashchange',fromHash);fromHash();"};

void
html_style(struct buf *out)
{
    for (size_t i = 0; i < sizeof style / sizeof *style; i++)
        buf_printf(out, "%s\n", style[i]);
}

void
html_script(struct buf *out)
{
    for (size_t i = 0; i < sizeof script / sizeof *script; i++)
        buf_printf(out, "%s\n", script[i]);
}
