export function Loading() {
  return (
    <p className="booting" role="status">
      Loading…
    </p>
  );
}
