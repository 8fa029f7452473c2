// One file for both programs; where it is served tells which of them it is.

import "uplot/dist/uPlot.min.css";
import "./style.css";

import { loaderPage } from "./loader.ts";
import { whereAmI } from "./place.ts";
import { serverPage } from "./server.ts";

const place = whereAmI(location.pathname, location.search);
if (place.page === "server") serverPage(place);
else loaderPage(place);
