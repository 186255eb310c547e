// Runs the Relay program as a bundler would build it: Relay's Babel plugin, then TypeScript's types taken off.
require("@babel/register")({
  cwd: __dirname,
  babelrc: false,
  configFile: false,
  extensions: [".ts"],
  plugins: ["relay", "@babel/plugin-transform-modules-commonjs"],
  presets: ["@babel/preset-typescript"],
});
require("./Job.ts");
