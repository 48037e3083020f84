// Served as /resources/testharnessreport.js. Tells the runner each subtest's result, then the whole file's, through
// __wptReport, which both environments define before any script of the page, as they do the factor of its timeouts.
(() => {
	const STATUSES = ['PASS', 'FAIL', 'TIMEOUT', 'NOTRUN', 'PRECONDITION_FAILED'];
	const HARNESS_STATUSES = ['OK', 'ERROR', 'TIMEOUT', 'PRECONDITION_FAILED'];
	const report = globalThis.__wptReport;
	const subtest = ({ name, status, message }) => ({ name, status: STATUSES[status], message: message ?? null });

	setup({ output: false, timeout_multiplier: globalThis.__wptPatience });
	add_result_callback((test) => report(JSON.stringify({ type: 'subtest', subtest: subtest(test) })));
	add_completion_callback((tests, { status, message }) => {
		const outcome = { status: HARNESS_STATUSES[status], message: message ?? null, subtests: tests.map(subtest) };
		report(JSON.stringify({ type: 'done', ...outcome }));
	});
})();
