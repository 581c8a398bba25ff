/** @file Follows the server that the page came from: how far the study is, newer data, and whether the server is still there. */

import type { LiveJob, LiveNews } from "../src/report/live-data.ts";
import type { ReportData } from "../src/study/report-data.ts";
import { type Child, h } from "./dom.ts";
import { duration, plain } from "./numbers.ts";
import { keepingPlace } from "./place.ts";

/** Before another try where the browser has given up. */
const RETRY_MS = 5000;

/**
 * @param version  of the data that are shown
 * @param onData   shows newer ones
 * @returns a strip that says how it stands
 */
export function follow(version: string, onData: (data: ReportData) => void): HTMLElement {
  const connection = h("p", { class: "connection", role: "status" });
  const progress = h("div", { class: "progress" });
  let shown = version;
  let isFetching = false;
  const say = (text: string) => {
    if (connection.textContent !== text) connection.textContent = text;
  };
  const isLost = () =>
    say(
      "The server does not answer: this is what was there when it last did. As soon as it is back, the page goes on.",
    );
  const fetchNewer = async ({ version }: LiveNews) => {
    if (version === shown || isFetching) return;
    isFetching = true;
    try {
      const response = await fetch("report.json");
      const data = (await response.json()) as ReportData;
      shown = version;
      onData(data);
    } catch {
      isLost(); // the next news tries again
    } finally {
      isFetching = false;
    }
  };
  const connect = () => {
    const events = new EventSource("events");
    events.addEventListener("message", ({ data }) => {
      const news = JSON.parse(data) as LiveNews;
      say(news.problem === null ? "" : `The report could not be brought up to date: ${news.problem}`);
      keepingPlace(progress, () => progress.replaceChildren(...stripOf(news)));
      void fetchNewer(news);
    });
    events.addEventListener("error", () => {
      isLost();
      if (events.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
    });
  };
  connect();
  return h("section", { class: "live", "aria-label": "How far the study is" }, progress, connection);
}

function stripOf({ counts, jobs }: LiveNews): Node[] {
  const numRuns = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const parts = [
    { name: "done", count: counts.done },
    { name: "running", count: counts.running },
    { name: "failed", count: counts.failed },
    { name: "interrupted", count: counts.interrupted },
    { name: "damaged", count: counts.damaged },
    { name: "to do", count: counts.planned },
  ].filter(({ count }) => count > 0);
  const bar = h("div", { class: "segments", "aria-hidden": "true" });
  for (const { name, count } of parts) {
    const segment = h("span", { class: `segment ${name.replace(" ", "-")}` });
    segment.style.flexGrow = String(count);
    bar.append(segment);
  }
  const said =
    counts.done === numRuns
      ? `All ${numRuns} runs are done`
      : parts.map(({ name, count }) => `${count} ${name}`).join(" · ");
  const running = jobs.filter(({ state }) => state === "running");
  const others = jobs.filter(({ state }) => state !== "running");
  return [
    h("p", { class: "counts" }, h("strong", {}, said), counts.done === numRuns ? "" : ` of ${numRuns} runs`),
    bar,
    ...(running.length === 0 ? [] : [h("ul", { class: "jobs" }, ...running.map(runningJob))]),
    ...(others.length === 0
      ? []
      : [
          h(
            "details",
            { id: "live-others" },
            h("summary", {}, `${others.length} failed, interrupted or damaged: which, and why`),
            h(
              "ul",
              { class: "jobs" },
              ...others.map(({ name, state, reason }) => h("li", {}, h("strong", {}, name), `: ${reason ?? state}`)),
            ),
          ),
        ]),
  ];
}

function runningJob({ name, step, numSteps, loss, secondsPerStep }: LiveJob): Child {
  const isScoring = step !== null && step === numSteps;
  const facts = [
    step === null || numSteps === null
      ? "at work"
      : isScoring
        ? "trained; being scored"
        : `step ${step} of ${numSteps}`,
    loss === null || isScoring ? "" : `loss ${plain(Number(loss.toPrecision(3)))}`,
    secondsPerStep === null || isScoring ? "" : `${plain(Number(secondsPerStep.toPrecision(2)))} s a step`,
    secondsPerStep === null || step === null || numSteps === null || isScoring
      ? ""
      : `about ${duration(secondsPerStep * (numSteps - step))} of training left`,
  ];
  return h("li", {}, h("strong", {}, name), `: ${facts.filter((fact) => fact !== "").join(" · ")}`);
}
