// Evaluated in every window first: takes away the browser's own WebRTC, so that only the shim can answer.
for (const name of Object.getOwnPropertyNames(globalThis)) if (/^(webkit)?RTC/.test(name)) delete globalThis[name];
