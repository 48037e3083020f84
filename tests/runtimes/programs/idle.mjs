import 'aiortc-shim/global';

console.log('end');
