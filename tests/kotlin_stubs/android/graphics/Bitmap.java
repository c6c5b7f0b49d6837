package android.graphics;

public abstract class Bitmap {
  public enum Config { ALPHA_8, ARGB_8888 }

  public abstract int getWidth();

  public abstract int getHeight();

  public abstract void getPixels(int[] pixels, int offset, int stride, int x, int y, int width, int height);

  public static Bitmap createBitmap(int[] colors, int width, int height, Config config) { return null; }

  public static Bitmap createScaledBitmap(Bitmap source, int width, int height, boolean filter) { return null; }
}
