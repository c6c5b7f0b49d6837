package android.graphics;

import java.util.stream.IntStream;

/** Holds pixels; where Android's filters when it scales, this one picks. */
public final class Bitmap {
  public enum Config { ALPHA_8, ARGB_8888 }

  private final int[] colors;
  private final int width;

  private Bitmap(int[] colors, int width) {
    this.colors = colors;
    this.width = width;
  }

  public int getWidth() { return width; }

  public int getHeight() { return colors.length / width; }

  public void getPixels(int[] pixels, int offset, int stride, int x, int y, int width, int height) {
    for (int row = 0; row < height; row++) {
      System.arraycopy(colors, (y + row) * this.width + x, pixels, offset + row * stride, width);
    }
  }

  public static Bitmap createBitmap(int[] colors, int width, int height, Config config) {
    return new Bitmap(IntStream.of(colors).limit((long) width * height).toArray(), width);
  }

  public static Bitmap createScaledBitmap(Bitmap source, int width, int height, boolean filter) {
    IntStream picked = IntStream.range(0, width * height).map(i ->
        source.colors[i / width * source.getHeight() / height * source.width + i % width * source.width / width]);
    return new Bitmap(picked.toArray(), width);
  }
}
