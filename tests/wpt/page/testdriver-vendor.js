// Served as /resources/testdriver-vendor.js. Chromium defines __wptDriver; jsdom has no pointer and no permissions.
(() => {
	const drive = globalThis.__wptDriver ?? (async () => {});
	const center = (element) => {
		const { left, top, width, height } = element.getBoundingClientRect();
		return { x: left + width / 2, y: top + height / 2 };
	};

	Object.assign(window.test_driver_internal, {
		in_automation: true,
		async click(element) {
			if (globalThis.__wptDriver) await drive('click', center(element));
			else element.click();
		},
		set_permission: ({ descriptor, state }) => drive('set_permission', { descriptor, state }),
	});
})();
