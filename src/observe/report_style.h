#pragma once

#include <string_view>

namespace vecload::observe {

// The look of the HTML report: light or dark as the reader's system is, one column on a phone,
// black on white on paper. The colours of series are told apart by colour-blind readers, too.
inline constexpr std::string_view kReportStyle = R"(
:root{color-scheme:light dark;--page:#f9f9f7;--card:#fcfcfb;--ink:#0b0b0b;--soft:#52514e;
--line:#e1e0d9;--edge:#c3c2b7;--s1:#2a78d6;--s2:#eb6834;--s3:#1baf7a;--s4:#eda100;--s5:#4a3aa7;
--s6:#e87ba4;--good:#006300;--bad:#b3261e;--warn:#8a5300}
@media (prefers-color-scheme:dark){:root{--page:#0d0d0d;--card:#1a1a19;--ink:#fff;--soft:#c3c2b7;
--line:#2c2c2a;--edge:#52514e;--s1:#3987e5;--s2:#d95926;--s3:#199e70;--s4:#c98500;--s5:#9085e9;
--s6:#d55181;--good:#4cc34c;--bad:#ff8a80;--warn:#fab219}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:68rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.6rem;margin:0;overflow-wrap:anywhere;line-height:1.25}
h2{font-size:1.1rem;margin:2rem 0 .6rem}
p{margin:.4rem 0;max-width:46rem;overflow-wrap:anywhere}
small,.soft{color:var(--soft)}
.outcome{font-weight:600}.complete{color:var(--good)}.stopped{color:var(--bad)}
.finished_with_rejects{color:var(--warn)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.6rem;
margin:1.2rem 0;padding:0;list-style:none}
.tiles li,.chart,.strip{background:var(--card);border:1px solid var(--line);border-radius:6px;
padding:.7rem .9rem}
.tiles b{display:block;font-size:1.35rem;font-weight:600;line-height:1.3}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,28rem),1fr));gap:.8rem}
figure{margin:0}figcaption{font-weight:600}figcaption small{font-weight:400}
.chart{display:grid;grid-template-columns:auto 1fr;gap:0 .5rem}
.chart figcaption,.chart .legend{grid-column:1/-1}
.chart figcaption+.y,.chart figcaption+.y+svg{margin-top:1rem}
.chart .y{grid-column:1;display:flex;flex-direction:column;justify-content:space-between;
text-align:right}
.chart svg{grid-column:2}.chart .x{grid-column:2}
.x,.y{color:var(--soft);font-size:.78rem;font-variant-numeric:tabular-nums}
.x{display:flex;justify-content:space-between;margin-top:.3rem}
svg{display:block;width:100%;height:11rem;overflow:visible}
.strip svg{height:1.4rem;margin-top:.4rem}
polyline{fill:none;stroke-width:2;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.grid{stroke:var(--line);fill:none;vector-effect:non-scaling-stroke}
polyline.s1{stroke:var(--s1)}polyline.s2{stroke:var(--s2)}polyline.s3{stroke:var(--s3)}
polyline.bound{stroke:var(--soft);stroke-dasharray:5 4;stroke-width:1.5}
rect.s1{fill:var(--s1)}rect.s2{fill:var(--s2)}rect.s3{fill:var(--s3)}rect.s4{fill:var(--s4)}
rect.s5{fill:var(--s5)}rect.s6{fill:var(--s6)}
.legend{display:flex;flex-wrap:wrap;gap:0 1rem;margin:.1rem 0 .5rem;padding:0;list-style:none;
font-size:.85rem;color:var(--soft)}
i{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.35rem;
vertical-align:-.08rem}
i.s1{background:var(--s1)}i.s2{background:var(--s2)}i.s3{background:var(--s3)}
i.s4{background:var(--s4)}i.s5{background:var(--s5)}i.s6{background:var(--s6)}
i.bound{height:0;border-top:2px dashed var(--soft);border-radius:0;vertical-align:.2rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);
vertical-align:top}
th{font-weight:600;color:var(--soft)}
tbody th{font-weight:400;color:var(--ink);overflow-wrap:anywhere}

.strip{margin-bottom:.6rem}.name{white-space:nowrap}
td{overflow-wrap:anywhere}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{width:40%}.bar svg{height:.9rem;margin-top:.3rem}
code{font:.85em/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
pre{white-space:pre-wrap;margin:.3rem 0;overflow-wrap:anywhere}
@media (max-width:34rem){.bar{width:28%}h1{font-size:1.3rem}.wide{display:none}}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc}
body{font-size:10pt}main{max-width:none;padding:0}figure,tr,.tiles li{break-inside:avoid}
h2{break-after:avoid}.scroll{overflow:visible}*{print-color-adjust:exact}}
)";

}  // namespace vecload::observe
