// A V4L2 camera that is not there, for LD_PRELOAD: OpenCV's own V4L2 backend
// opens, configures and streams it as it would a real one.
//
// The file descriptor it hands out is a timer that becomes readable once per
// frame, so select(), which OpenCV waits with, works without help. Frames are
// YUYV: luma is 16 + n % 200 all over, n being the number of the frame since
// streaming began; chroma is neutral, so every BGR channel is the same grey.
//
//   FAKEV4L_DEVICE        the path to stand in for (default /dev/video0)
//   FAKEV4L_FPS           frames per second (default 50)
//   FAKEV4L_MAX_FPS       let the rate be set, up to this; not set: it is fixed
//   FAKEV4L_JPEG          a file that is every frame once the format is MJPG
//   FAKEV4L_UNPLUG_AFTER  vanish after so many frames: ENODEV from then on
//   FAKEV4L_REPLUG_MS     when unplugged, be absent for so long; then begin anew
//   FAKEV4L_STALL_AFTER   deliver no frame after so many, and no error either
//   FAKEV4L_FIXED_SIZE    answer every wish with 640x480, as small cameras do
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS = 4, SLOT = 4 << 20 };

static struct {
  int fd, width, height, fps, mjpg, streaming;
  long frame, unplug_after, stall_after;
  uint64_t due;        // frames the clock has announced and nobody took
  unsigned char *slots;
  int buffers, queue[BUFFERS], head, tail;
} cam = {.fd = -1};

static long setting(const char *name, long otherwise) {
  const char *v = getenv(name);
  return v && *v ? atol(v) : otherwise;
}

static int64_t back_at;  // when an unplugged camera is there again

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static unsigned char jpeg[1 << 18];
static int jpeg_size(void) {
  static int n = -1;
  const char *path = getenv("FAKEV4L_JPEG");
  if (n < 0 && path) {
    FILE *f = fopen(path, "rb");
    n = f ? (int)fread(jpeg, 1, sizeof jpeg, f) : 0;
    if (f) fclose(f);
  }
  return n;
}

static int is_camera(const char *path) {
  const char *device = getenv("FAKEV4L_DEVICE");
  return path && !strcmp(path, device ? device : "/dev/video0");
}

static int plug_in(void) {
  if (now_ms() < back_at) {
    errno = ENOENT;
    return -1;
  }
  back_at = 0;
  memset(&cam, 0, sizeof cam);
  cam.width = 640;
  cam.height = 480;
  cam.fps = setting("FAKEV4L_FPS", 50);
  cam.unplug_after = setting("FAKEV4L_UNPLUG_AFTER", -1);
  cam.stall_after = setting("FAKEV4L_STALL_AFTER", -1);
  return cam.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

static void set_clock(int on) {
  struct itimerspec t = {0};
  if (on) {
    t.it_interval.tv_nsec = 1000000000L / (cam.fps > 1 ? cam.fps : 2);
    t.it_value = t.it_interval;
  }
  timerfd_settime(cam.fd, 0, &t, NULL);
  cam.streaming = on;
  cam.due = 0;
}

#define DEFINE_OPEN(name)                                              \
  int name(const char *path, int flags, ...) {                         \
    va_list args;                                                      \
    va_start(args, flags);                                             \
    int mode = va_arg(args, int);                                      \
    va_end(args);                                                      \
    if (is_camera(path)) return plug_in();                             \
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name);     \
    return real(path, flags, mode);                                    \
  }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

int close(int fd) {
  if (fd >= 0 && fd == cam.fd) {
    cam.fd = -1;
    free(cam.slots);
    cam.slots = NULL;
  }
  int (*real)(int) = dlsym(RTLD_NEXT, "close");
  return real(fd);
}

// The camera's buffers are memory of ours, handed out at the offsets that
// VIDIOC_QUERYBUF named; unmapping them is a matter of forgetting.
static int is_slot(void *p) {
  return cam.slots && (unsigned char *)p >= cam.slots && (unsigned char *)p < cam.slots + (size_t)BUFFERS * SLOT;
}
#define DEFINE_MMAP(name)                                                          \
  void *name(void *addr, size_t n, int prot, int flags, int fd, off_t offset) {    \
    if (fd >= 0 && fd == cam.fd) return cam.slots + offset;                        \
    void *(*real)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, #name); \
    return real(addr, n, prot, flags, fd, offset);                                 \
  }
DEFINE_MMAP(mmap)
DEFINE_MMAP(mmap64)
int munmap(void *p, size_t n) {
  if (is_slot(p)) return 0;
  int (*real)(void *, size_t) = dlsym(RTLD_NEXT, "munmap");
  return real(p, n);
}

static int fail(int e) {
  errno = e;
  return -1;
}

static void describe(struct v4l2_pix_format *p) {
  memset(p, 0, sizeof *p);
  p->width = cam.width;
  p->height = cam.height;
  p->pixelformat = cam.mjpg ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
  p->field = V4L2_FIELD_NONE;
  p->bytesperline = cam.mjpg ? 0 : cam.width * 2;
  p->sizeimage = cam.width * cam.height * 2;
  p->colorspace = V4L2_COLORSPACE_SRGB;
}

static int set_format(struct v4l2_pix_format *p) {
  int mjpg = p->pixelformat == V4L2_PIX_FMT_MJPEG && jpeg_size() > 0;
  if (p->pixelformat != V4L2_PIX_FMT_YUYV && !mjpg) return fail(EINVAL);
  cam.mjpg = mjpg;
  if (!setting("FAKEV4L_FIXED_SIZE", 0) && p->width >= 64 && p->width <= 1280 && p->height >= 64 && p->height <= 1024) {
    cam.width = p->width & ~1u;
    cam.height = p->height & ~1u;
  }
  describe(p);
  return 0;
}

static int dequeue(struct v4l2_buffer *b) {
  uint64_t ticks;
  if (read(cam.fd, &ticks, sizeof ticks) == sizeof ticks) cam.due += ticks;
  if (cam.unplug_after >= 0 && cam.frame >= cam.unplug_after) {
    if (!back_at) back_at = now_ms() + setting("FAKEV4L_REPLUG_MS", 0);
    return fail(ENODEV);
  }
  if (cam.stall_after >= 0 && cam.frame >= cam.stall_after) {
    set_clock(0);
    return fail(EAGAIN);
  }
  if (!cam.streaming || cam.head == cam.tail || cam.due == 0) return fail(EAGAIN);
  cam.due--;
  int i = cam.queue[cam.head++ % BUFFERS];
  unsigned char *p = cam.slots + (size_t)i * SLOT;
  if (cam.mjpg) memcpy(p, jpeg, jpeg_size());
  else for (long k = 0; k < (long)cam.width * cam.height; k++) {
    p[2 * k] = 16 + cam.frame % 200;
    p[2 * k + 1] = 128;
  }
  b->index = i;
  b->length = cam.width * cam.height * 2;
  b->bytesused = cam.mjpg ? (unsigned)jpeg_size() : b->length;
  b->m.offset = i * SLOT;
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  b->timestamp.tv_sec = t.tv_sec;
  b->timestamp.tv_usec = t.tv_nsec / 1000;
  b->sequence = cam.frame++;
  b->flags = V4L2_BUF_FLAG_DONE;
  return 0;
}

int ioctl(int fd, unsigned long request, ...) {
  va_list args;
  va_start(args, request);
  void *arg = va_arg(args, void *);
  va_end(args);
  if (fd < 0 || fd != cam.fd) {
    int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
    return real(fd, request, arg);
  }
  switch (request) {
    case VIDIOC_QUERYCAP: {
      struct v4l2_capability *c = arg;
      memset(c, 0, sizeof *c);
      strcpy((char *)c->driver, "fakev4l");
      strcpy((char *)c->card, "Imaginary camera");
      c->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
      c->capabilities = c->device_caps | V4L2_CAP_DEVICE_CAPS;
      return 0;
    }
    case VIDIOC_ENUMINPUT: {
      struct v4l2_input *in = arg;
      if (in->index) return fail(EINVAL);
      in->type = V4L2_INPUT_TYPE_CAMERA;
      return 0;
    }
    case VIDIOC_G_INPUT:
      *(int *)arg = 0;
      return 0;
    case VIDIOC_S_INPUT:
      return 0;
    case VIDIOC_ENUM_FMT: {
      struct v4l2_fmtdesc *d = arg;
      if (d->index > (jpeg_size() > 0)) return fail(EINVAL);
      d->pixelformat = d->index ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
      return 0;
    }
    case VIDIOC_G_FMT:
      describe(&((struct v4l2_format *)arg)->fmt.pix);
      return 0;
    case VIDIOC_S_FMT:
    case VIDIOC_TRY_FMT:
      return set_format(&((struct v4l2_format *)arg)->fmt.pix);
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
      struct v4l2_captureparm *c = &((struct v4l2_streamparm *)arg)->parm.capture;
      long most = setting("FAKEV4L_MAX_FPS", 0);
      if (request == VIDIOC_S_PARM && most && c->timeperframe.numerator) {
        long wish = c->timeperframe.denominator / c->timeperframe.numerator;
        cam.fps = wish > most ? most : wish;
      }
      c->capability = V4L2_CAP_TIMEPERFRAME;
      c->timeperframe.numerator = 1;
      c->timeperframe.denominator = cam.fps;
      return 0;
    }
    case VIDIOC_REQBUFS: {
      struct v4l2_requestbuffers *r = arg;
      if (r->count > BUFFERS) r->count = BUFFERS;
      cam.buffers = r->count;
      cam.head = cam.tail = 0;
      if (r->count && !cam.slots) cam.slots = malloc((size_t)BUFFERS * SLOT);
      return r->count && !cam.slots ? fail(ENOMEM) : 0;
    }
    case VIDIOC_QUERYBUF: {
      struct v4l2_buffer *b = arg;
      if ((int)b->index >= cam.buffers) return fail(EINVAL);
      b->length = cam.width * cam.height * 2;
      b->m.offset = b->index * SLOT;
      return 0;
    }
    case VIDIOC_QBUF:
      if (cam.tail - cam.head >= BUFFERS) return fail(EINVAL);
      cam.queue[cam.tail++ % BUFFERS] = ((struct v4l2_buffer *)arg)->index;
      return 0;
    case VIDIOC_DQBUF:
      return dequeue(arg);
    case VIDIOC_STREAMON:
      set_clock(1);
      return 0;
    case VIDIOC_STREAMOFF:
      set_clock(0);
      cam.head = cam.tail = 0;
      return 0;
  }
  return fail(EINVAL);
}
