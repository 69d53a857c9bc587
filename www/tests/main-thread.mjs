/** How long the page's own thread is held up. */

/**
 * Watches the tasks of a page's thread until the function that it returns is called, which gives the durations of
 * tasks over 50 ms as a PerformanceObserver sees them, and the longest task in time of the processor: what other
 * programs take from a busy machine is in the first and not in the second. All in milliseconds.
 */
export async function watchMainThread(page) {
  await page.evaluate(() => {
    window.longTasks = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longTasks.push(Math.round(duration));
    }).observe({ type: "longtask" });
  });
  const debug = await page.context().newCDPSession(page);
  let thread;
  let longest = 0;
  const tasks = [];
  debug.on("Tracing.dataCollected", ({ value }) => {
    for (const event of value) {
      if (event.name === "thread_name" && event.args.name === "CrRendererMain") thread = `${event.pid} ${event.tid}`;
      else if (event.ph === "X" && event.name.endsWith("RunTask")) {
        tasks.push([`${event.pid} ${event.tid}`, (event.tdur ?? 0) / 1000]);
      }
    }
  });
  await debug.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "devtools.timeline"] },
  });
  return async () => {
    const complete = new Promise((resolve) => debug.once("Tracing.tracingComplete", resolve));
    await debug.send("Tracing.end");
    await complete;
    for (const [where, ms] of tasks) if (where === thread) longest = Math.max(longest, ms);
    return { observed: await page.evaluate(() => window.longTasks), longest, count: tasks.length };
  };
}
